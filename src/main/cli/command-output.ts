export interface CommandOutput {
  readonly exitCode: 0 | 1;
  readonly lines: readonly string[];
}
