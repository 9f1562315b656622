import { ADDED_KEY_RETENTION_MS, AppError } from '../kernel/index.js';
import {
  deepFreeze,
  type Environment,
  httpConfigOf,
  loadCheckedEnvironmentFile,
  parseSettings,
} from './parse-settings.js';
import { nameOfNode } from './replication-settings.js';
import { settingsInForce } from './settings-in-force.js';
import { answerWithinMs, gatewaySchema } from './settings.js';

/** Paths are absolute. */
export type GatewayConfig = ReturnType<typeof parseGatewayConfig>;

/** Works as `loadConfig` does, with GATEWAY_PORT as the port. Throws `misconfigured` when GATEWAY_PORT is off and no port is given. */
export function loadGatewayConfig(given: string | undefined): GatewayConfig {
  loadCheckedEnvironmentFile();
  return parseGatewayConfig({ ...process.env, ...(given !== undefined && { GATEWAY_PORT: given }) });
}

export function parseGatewayConfig(environment: Environment) {
  const settings = parseSettings(gatewaySchema, environment);
  const { storage, replication, cluster, checkouts, gateway, log } = settings;
  if (gateway.gatewayPort === 'off') {
    const message = 'GATEWAY_PORT is off: give the gateway a port, as in npm run start:gateway -- --port 8080';
    throw new AppError('misconfigured', message, { retry: 'never' });
  }
  return deepFreeze({
    ...{ log, http: { ...httpConfigOf(settings), port: gateway.gatewayPort } },
    dataDirectory: storage.dataDirectory,
    clusterSecret: storage.clusterSecret,
    /** Each is `host:port`. Empty: the app's run file in the data directory says where it is. */
    appAddresses: cluster.appAddresses.map(nameOfNode),
    limits: { holdMs: gateway.gatewayHoldMs, activeMs: answerWithinMs(checkouts) },
    /** Of a request with a password. A repeat still comes before an added key ends. */
    passwordLimits: { holdMs: gateway.gatewayHoldMs, activeMs: ADDED_KEY_RETENTION_MS - gateway.gatewayHoldMs },
    pingMs: replication.pingMs,
    inForce: settingsInForce(settings),
  });
}
