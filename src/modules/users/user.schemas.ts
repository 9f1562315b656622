import { z } from 'zod';
import { boundedText } from '../../platform/http/index.js';

const MAX_NAME_LENGTH = 50;
/** Allotted ids skip chosen ones: above this limit, up to 2^53, there are more than can ever be needed. */
const MAX_CHOSEN_ID = 1e15;
const idRule = `must be a whole number from 1 to ${String(MAX_CHOSEN_ID)}`;
const objectRule = 'must be a JSON object';

const fields = {
  firstname: boundedText(1, MAX_NAME_LENGTH).meta({ example: 'Ada' }),
  lastname: boundedText(1, MAX_NAME_LENGTH).meta({ example: 'Lovelace' }),
};

export const userInputSchema = z.strictObject(fields, objectRule).meta({ id: 'UserInput' });
export type UserInput = z.infer<typeof userInputSchema>;

/** A field that is absent keeps its value. */
export const userChangeSchema = z
  .strictObject({ firstname: fields.firstname.optional(), lastname: fields.lastname.optional() }, objectRule)
  .meta({ id: 'UserChange' });
export type UserChange = z.infer<typeof userChangeSchema>;

export const userInBothInputSchema = z
  .strictObject(
    {
      ...fields,
      id: z
        .int(idRule)
        .min(1, idRule)
        .max(MAX_CHOSEN_ID, idRule)
        .optional()
        .meta({ description: 'default: the next id that neither store has used' }),
    },
    objectRule,
  )
  // The example has no id, so that sending it as shown creates a user under the next id.
  .meta({ id: 'UserInBothInput', example: { firstname: 'Ada', lastname: 'Lovelace' } });
export type UserInBothInput = z.infer<typeof userInBothInputSchema>;

export const userSchema = z.object({ id: z.int().min(1).meta({ example: 1 }), ...fields }).meta({ id: 'User' });
export type User = z.infer<typeof userSchema>;

export const documentUserSchema = z
  .object({ id: z.string().meta({ example: 'ada-1815' }), ...fields })
  .meta({ id: 'DocumentUser' });

export const userInBothSchema = z
  .object({
    id: z.int().min(1).meta({ example: 1 }),
    ...fields,
    transactionId: z.string().meta({ format: 'uuid', example: '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77' }),
  })
  .meta({ id: 'UserInBoth' });
