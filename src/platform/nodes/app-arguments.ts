import { commandLine } from '../process/index.js';

/** The command line of `npm run start:app`, for the app, a standby and a reader. */
export function appArguments(): { readonly port?: string; readonly standby?: true } {
  return commandLine('npm run start:app', 'Runs one app, one standby, or one reader.')
    .usage('[-- --standby | --reader --port 5051]')
    .option('--reader', 'answers reads of books from the database in DATA_DIR and forwards the rest to the app')
    .option('--standby', 'waits, on STANDBY_PORT, while another app runs on DATA_DIR, and then takes its place on PORT')
    .option('--port <port>', 'port to listen on; else PORT, which a reader takes from the environment alone')
    .parse()
    .opts<{ readonly port?: string; readonly standby?: true }>();
}
