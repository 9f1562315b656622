"""A node as somebody might write one in an afternoon: Flask and SQLite, paths with a slash at the end, answers without a body.

python3 flask-node.py PORT DATABASE
"""

import sqlite3
import sys

from flask import Flask, jsonify, request

app = Flask(__name__)
port, database = int(sys.argv[1]), sys.argv[2]
node_id = f"127.0.0.1:{port}"


def run(statement, *values):
    """The rows and the number of changed rows of one statement, committed."""
    connection = sqlite3.connect(database, timeout=30)
    try:
        with connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall(), cursor.rowcount
    finally:
        connection.close()


@app.route("/v1/groups/", methods=["GET"])
def list_groups():
    rows, _ = run("SELECT group_id FROM groups ORDER BY group_id")
    return jsonify(nodeId=node_id, groups=[{"groupId": row[0], "nodeId": node_id} for row in rows])


@app.route("/v1/groups/", methods=["DELETE"])
def clear_groups():
    run("DELETE FROM groups")
    return "", 200


@app.route("/v1/group/<group_id>/", methods=["GET"])
def read_group(group_id):
    rows, _ = run("SELECT group_id FROM groups WHERE group_id = ?", group_id)
    return jsonify(groupId=rows[0][0], nodeId=node_id) if rows else ("", 404)


@app.route("/v1/group/", methods=["POST"])
def create_group():
    try:
        run("INSERT INTO groups (group_id) VALUES (?)", request.get_json()["groupId"])
    except sqlite3.IntegrityError:
        return "", 400
    return "", 200


@app.route("/v1/group/", methods=["DELETE"])
def delete_group():
    _, deleted = run("DELETE FROM groups WHERE group_id = ?", request.get_json()["groupId"])
    return ("", 200) if deleted else ("", 404)


if __name__ == "__main__":
    run("CREATE TABLE IF NOT EXISTS groups (group_id TEXT PRIMARY KEY)")
    app.run(host="127.0.0.1", port=port)
