export { type Echo, ECHO_PATH, echoOf, echoSchema } from './echo.js';
