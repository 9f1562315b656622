/** PostgreSQL nests comments and SQLite does not: one inside of another is left standing, and begins no statement. */
const BLANKS = /^(?:[\s;]+|--[^\n\r]*|\/\*(?:(?!\/\*)[\s\S])*?\*\/)+/;
const BEGINS_A_STATEMENT = /^[a-z(]/i;
const CONTROL = /^(?:begin|start|commit|end|abort|rollback|prepare\s+transaction)\b/i;
const TO_A_SAVEPOINT = /^rollback(?:\s+(?:work|transaction))?\s+to\b/i;

/**
 * Whether this SQL, one statement, would begin or end the transaction that it runs in, as far as its first words tell:
 * also when they are such as no statement begins with. Savepoints do not.
 */
export function controlsTransaction(sql: string): boolean {
  const statement = sql.replace(BLANKS, '');
  if (statement !== '' && !BEGINS_A_STATEMENT.test(statement)) return true;
  return CONTROL.test(statement) && !TO_A_SAVEPOINT.test(statement);
}
