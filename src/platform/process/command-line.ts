import { Command } from 'commander';

const EXIT_USAGE = 2;

/**
 * A command of this project, called `name` as a person types it. `--help` prints the usage and exits with code 0; an unknown
 * option or argument is refused on one line, with exit code 2.
 */
export function commandLine(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .usage(name.startsWith('npm') ? '[-- options]' : '[options]')
    .showSuggestionAfterError(false)
    .configureOutput({
      outputError: (text, write) => {
        write(`${refusalText(text)} "${name} -- --help" shows how to use it.\n`);
      },
    })
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE));
}

/** A message of commander as a sentence. */
export function refusalText(text: string): string {
  const message = text.trim().replace(/^error: /, '');
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`.replace(/\.\.$/, '.');
}
