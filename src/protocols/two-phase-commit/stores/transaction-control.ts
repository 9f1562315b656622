/** PostgreSQL nests comments and SQLite does not: a nested comment is left in place, and begins no statement. */
const BLANKS = /^(?:[\s;]+|--[^\n\r]*|\/\*(?:(?!\/\*)[\s\S])*?\*\/)+/;
const BEGINS_A_STATEMENT = /^[a-z(]/i;
const CONTROL = /^(?:begin|start|commit|end|abort|rollback|prepare\s+transaction)\b/i;
const TO_A_SAVEPOINT = /^rollback(?:\s+(?:work|transaction))?\s+to\b/i;

/** Whether the first words of this one statement could begin or end its transaction. Unknown ones do; savepoints do not. */
export function controlsTransaction(sql: string): boolean {
  const statement = sql.replace(BLANKS, '');
  if (statement !== '' && !BEGINS_A_STATEMENT.test(statement)) return true;
  return CONTROL.test(statement) && !TO_A_SAVEPOINT.test(statement);
}
