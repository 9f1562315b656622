import type { MigrationInterface, QueryRunner } from 'typeorm';

/** An SQL statement, or work that needs more than one. */
type Step = string | ((runner: QueryRunner) => Promise<void>);

/** A migration of TypeORM. Its name ends with the time that orders it, and never changes: a migrated file keeps the name. */
export function sqlMigration(
  name: string,
  { up, down }: { readonly up: readonly Step[]; readonly down: readonly Step[] },
): new () => MigrationInterface {
  return class {
    readonly name = name;
    readonly up = (runner: QueryRunner): Promise<void> => run(runner, up);
    readonly down = (runner: QueryRunner): Promise<void> => run(runner, down);
  };
}

async function run(runner: QueryRunner, steps: readonly Step[]): Promise<void> {
  for (const step of steps) await (typeof step === 'string' ? runner.query(step) : step(runner));
}
