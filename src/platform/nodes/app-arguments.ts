import { commandLine } from '../process/index.js';

/** The command line of `npm run start:app`, for the app and for a reader. */
export function appArguments(): { readonly port?: string } {
  return commandLine('npm run start:app', 'Runs one app, or one reader.')
    .usage('[-- --reader --port 5051]')
    .option('--reader', 'answers reads of books from the database in DATA_DIR and forwards the rest to the app')
    .option('--port <port>', 'port to listen on; else PORT, which a reader takes from the environment alone')
    .parse()
    .opts<{ readonly port?: string }>();
}
