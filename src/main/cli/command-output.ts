/** What a command has to say when it has ended. */
export interface CommandOutput {
  readonly exitCode: 0 | 1;
  readonly lines: readonly string[];
}
