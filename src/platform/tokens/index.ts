export { TOKEN_KEYS_FILE, TokenKeys, type TokenClaims, type TokenPorts } from './token-keys.js';
