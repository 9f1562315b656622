import { z } from 'zod';
import { boundedText } from '../../platform/http/index.js';

const SHORTEST_EMAIL = 3;
const MAX_EMAIL_LENGTH = 320;
const MAX_PASSWORD_LENGTH = 128;
const objectRule = 'must be a JSON object';
const passwordRule = `must be text of 1 to ${String(MAX_PASSWORD_LENGTH)} characters`;
const EXAMPLE_EMAIL = 'ada@example.org';

export const emailSchema = boundedText(SHORTEST_EMAIL, MAX_EMAIL_LENGTH)
  .refine((email) => email.split('@').length === 2, 'must contain exactly one @')
  .meta({ example: EXAMPLE_EMAIL });

/** Not trimmed: spaces are part of a password. Counts characters, not UTF-16 units. */
const passwordSchema = z
  .string(passwordRule)
  .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
  .refine((text) => text.length <= 2 * MAX_PASSWORD_LENGTH && isWithin([...text].length), passwordRule)
  .meta({ minLength: 1, maxLength: MAX_PASSWORD_LENGTH, example: 'correct horse battery staple' });

function isWithin(characters: number): boolean {
  return characters >= 1 && characters <= MAX_PASSWORD_LENGTH;
}

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** The names of each field that clients send, the first one first. */
const EMAIL_NAMES = ['correo', 'email'] as const;
const PASSWORD_NAMES = ['clave', 'password', 'contrasena'] as const;

const emailFields = {
  correo: emailSchema.optional(),
  email: emailSchema.optional().meta({ description: 'another name of correo', example: undefined }),
};
const passwordFields = {
  clave: passwordSchema.optional(),
  password: passwordSchema.optional().meta({ description: 'another name of clave', example: undefined }),
  contrasena: passwordSchema.optional().meta({ description: 'another name of clave', example: undefined }),
};
const EXAMPLE_CREDENTIALS = { correo: EXAMPLE_EMAIL, clave: 'correct horse battery staple' };

type Fields<Name extends string> = Readonly<Partial<Record<Name, string | undefined>>>;

/** The value of the only one of `names` that is given; reports none, or more than one. */
function onlyOne<Name extends string>(
  fields: Fields<Name>,
  names: readonly [Name, ...Name[]],
  context: z.RefinementCtx,
): string {
  const [given, other] = names.filter((name) => fields[name] !== undefined);
  if (given === undefined) {
    context.addIssue({ code: 'custom', path: [names[0]], message: 'is required' });
  } else if (other !== undefined) {
    context.addIssue({ code: 'custom', path: [other], message: `must not be given beside ${given}` });
  }
  return given === undefined ? '' : (fields[given] ?? '');
}

const credentialFields = z.strictObject({ ...emailFields, ...passwordFields }, objectRule);

/** Both fields are given. */
export const credentialsSchema = credentialFields
  .transform((fields, context): Credentials => ({
    email: onlyOne(fields, EMAIL_NAMES, context),
    password: onlyOne(fields, PASSWORD_NAMES, context),
  }))
  .meta({ id: 'Credentials', example: EXAMPLE_CREDENTIALS });

/** Both fields are given, or none: then undefined. */
export const loginSchema = credentialFields
  .transform((fields, context): Credentials | undefined =>
    Object.values(fields).every((value) => value === undefined)
      ? undefined
      : {
          email: onlyOne(fields, EMAIL_NAMES, context),
          password: onlyOne(fields, PASSWORD_NAMES, context),
        },
  )
  .meta({ id: 'Login', example: EXAMPLE_CREDENTIALS });
export type Login = Credentials | undefined;

export const emailQuestionSchema = z
  .strictObject(emailFields, objectRule)
  .transform((fields, context) => ({ email: onlyOne(fields, EMAIL_NAMES, context) }))
  .meta({ id: 'EmailQuestion', example: { correo: EXAMPLE_EMAIL } });
export type EmailQuestion = z.output<typeof emailQuestionSchema>;

const shown = {
  id: z.string().meta({ example: '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77' }),
  correo: z.string().meta({ example: EXAMPLE_EMAIL }),
};
export const registeredUserSchema = z.object(shown).meta({ id: 'RegisteredUser' });
export const registrationSchema = z
  .object({ message: z.string().meta({ example: 'registered' }), ...shown })
  .meta({ id: 'Registration' });
/** Empty when nobody has the e-mail. */
export const foundUserSchema = z
  .object({ id: shown.id.optional(), correo: shown.correo.optional() })
  .meta({ id: 'FoundUser' });
export const canRegisterSchema = z
  .object({
    can_register: z.boolean().meta({ example: true }),
    message: z.string().meta({ example: 'the e-mail is free' }),
  })
  .meta({ id: 'CanRegister' });
export const tokenSchema = z
  .object({
    token: z.string().meta({ example: 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl' }),
    expires_in: z.int().min(1).meta({ description: 'seconds', example: 18_000 }),
  })
  .meta({ id: 'Token' });
export const validTokenSchema = z.object({ valido: z.literal(true) }).meta({ id: 'ValidToken' });
