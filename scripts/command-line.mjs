/**
 * A script's command line, once its dependencies are there: `--help` ends it with exit code 0, an option that it does not
 * have with one line and exit code 2. src/platform/process/command-line.ts is the same for the programs of src/, which no
 * script may need before they are built.
 */
export async function commandLine(name, description) {
  const { Command } = await import('commander');
  return new Command(name)
    .description(description)
    .usage('[-- options]')
    .showSuggestionAfterError(false)
    .configureOutput({
      outputError: (text, write) => {
        const message = text
          .trim()
          .replace(/^error: /, '')
          .replace(/\.$/, '');
        write(`${message.charAt(0).toUpperCase()}${message.slice(1)}. "${name} -- --help" shows how to use it.\n`);
      },
    })
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
}

/** For an option's text: a whole number from `min`. */
export async function wholeNumber(min = 0) {
  const { InvalidArgumentError } = await import('commander');
  return (text) => {
    if (/^\d{1,9}$/.test(text) && Number(text) >= min) return Number(text);
    throw new InvalidArgumentError(`It must be a whole number from ${min}`);
  };
}
