import { join } from 'node:path';
import {
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTVerifyGetKey,
  jwtVerify,
  SignJWT,
} from 'jose';
import { z } from 'zod';
import { AppError, type Clock, type Disk, type Log, type Timers } from '../../kernel/index.js';
import { replaceFile } from '../disk/index.js';

/** In the data directory: the private keys, for the owner of the directory alone. */
export const TOKEN_KEYS_FILE = 'token-keys.json';
const ALGORITHM = 'EdDSA';
const ISSUER = 'bifolio';
const LOOK_AT_AGE_EVERY_MS = 3_600_000;
const MS_PER_SECOND = 1_000;

const keySchema = z.object({
  madeAtMs: z.number(),
  jwk: z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string(), kid: z.string() }),
});
type TokenKey = z.infer<typeof keySchema>;
/** The present key, then the former one. */
const fileSchema = z.object({ format: z.literal(1), keys: z.array(keySchema).min(1).max(2) });

export interface TokenPorts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

export interface TokenClaims {
  /** Whom the token is for; absent: nobody in particular. */
  readonly subject?: string | undefined;
  /** What the token is good for. */
  readonly scope: string;
}

/**
 * Signs tokens (JWT, RFC 7519, with Ed25519) and verifies them with a present and a former key. Invariant: a key that has signed is
 * accepted until the key after the next is made. Keys must therefore be kept at least as long as a token lives.
 */
export class TokenKeys {
  private cancel: () => void = () => undefined;

  private constructor(
    private readonly ports: TokenPorts,
    private readonly path: string,
    private readonly renewAfterMs: number,
    private keys: readonly TokenKey[],
    private publicKeys: JWTVerifyGetKey,
  ) {}

  /**
   * Reads the keys of the directory, or makes the first one; it is durable when this resolves. A key that is older than `renewAfterMs`
   * is renewed, here and while the process runs. Rejects with `data-corrupt` when the file is damaged.
   */
  static async open(
    ports: TokenPorts,
    { directory, renewAfterMs }: { readonly directory: string; readonly renewAfterMs: number },
  ): Promise<TokenKeys> {
    await ports.disk.ensureDirectory(directory);
    const path = join(directory, TOKEN_KEYS_FILE);
    const bytes = await ports.disk.read(path);
    const known = bytes && keysIn(bytes, path);
    const keys = known ?? [await newKey(ports.clock)];
    const opened = new TokenKeys(ports, path, renewAfterMs, keys, publicKeysOf(keys));
    if (!known) await opened.keep(keys);
    await opened.renewIfDue();
    opened.lookAgainLater();
    return opened;
  }

  /** A token that is valid for `lifetimeMs` milliseconds from now, rounded down to seconds. */
  async sign({ subject, scope }: TokenClaims, lifetimeMs: number): Promise<string> {
    const [{ jwk }] = this.keys as [TokenKey];
    const now = Math.floor(this.ports.clock.nowMs() / MS_PER_SECOND);
    const token = new SignJWT({ scope })
      .setProtectedHeader({ alg: ALGORITHM, kid: jwk.kid })
      .setIssuer(ISSUER)
      .setIssuedAt(now)
      .setExpirationTime(now + Math.floor(lifetimeMs / MS_PER_SECOND));
    if (subject !== undefined) token.setSubject(subject);
    return token.sign(await importJWK(jwk, ALGORITHM));
  }

  /** Undefined when the token is malformed, expired, or of a key that is not known here. */
  async verify(token: string): Promise<TokenClaims | undefined> {
    try {
      const { payload } = await jwtVerify(token, this.publicKeys, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        requiredClaims: ['exp', 'scope'],
        currentDate: new Date(this.ports.clock.nowMs()),
      });
      return { subject: payload.sub, scope: String(payload['scope']) };
    } catch {
      return undefined;
    }
  }

  /** Makes the present key the former one, and a new key the present one, once the present one is old enough. */
  async renewIfDue(): Promise<void> {
    const [present] = this.keys as [TokenKey];
    if (this.ports.clock.nowMs() - present.madeAtMs < this.renewAfterMs) return;
    const keys = [await newKey(this.ports.clock), present];
    await this.keep(keys);
    this.keys = keys;
    this.publicKeys = publicKeysOf(keys);
    this.ports.log.info('the key that signs tokens was renewed; tokens of the former key stay valid', {
      file: this.path,
    });
  }

  close(): void {
    this.cancel();
  }

  private lookAgainLater(): void {
    this.cancel = this.ports.timers.after(LOOK_AT_AGE_EVERY_MS, () => {
      this.lookAgainLater();
      this.renewIfDue().catch((error: unknown) => {
        this.ports.log.warn('the key that signs tokens could not be renewed; the present one is used on', {
          ...{ file: this.path, reason: String(error) },
        });
      });
    });
  }

  private keep(keys: readonly TokenKey[]): Promise<void> {
    const text = `${JSON.stringify({ format: 1, keys }, undefined, 2)}\n`;
    return replaceFile(this.ports.disk, this.path, (file) => file.write(Buffer.from(text), 0));
  }
}

async function newKey(clock: Clock): Promise<TokenKey> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { crv: 'Ed25519', extractable: true });
  const { x, d } = (await exportJWK(privateKey)) as Required<JWK>;
  // A public key is as unique as any id.
  return { madeAtMs: clock.nowMs(), jwk: { kty: 'OKP', crv: 'Ed25519', x, d, kid: x } };
}

function publicKeysOf(keys: readonly TokenKey[]): JWTVerifyGetKey {
  return createLocalJWKSet({ keys: keys.map(({ jwk: { d: _private, ...shown } }) => ({ ...shown, alg: ALGORITHM })) });
}

/** Throws `data-corrupt`. The error does not quote the file. */
function keysIn(bytes: Buffer, path: string): readonly TokenKey[] {
  try {
    const read = fileSchema.safeParse(JSON.parse(bytes.toString('utf8')));
    if (read.success) return read.data.keys;
  } catch {
    // The text is not JSON: refused below.
  }
  const remedy = 'restore it from a backup, or delete it: the next start makes a new key, and users sign in again';
  throw new AppError('data-corrupt', `${path}: the keys that sign tokens are damaged: ${remedy}`, { retry: 'never' });
}
