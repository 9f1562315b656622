import { z } from 'zod';
import { boundedText } from '../../platform/http/index.js';

const MAX_NAME_LENGTH = 50;
/** Ids that are allotted pass over those that were chosen: above are more than can ever be needed, up to 2^53. */
const MAX_CHOSEN_ID = 1e15;
const idRule = `must be a whole number from 1 to ${String(MAX_CHOSEN_ID)}`;
const objectRule = 'must be a JSON object';

const fields = {
  firstname: boundedText(1, MAX_NAME_LENGTH).meta({ example: 'Ada' }),
  lastname: boundedText(1, MAX_NAME_LENGTH).meta({ example: 'Lovelace' }),
};

/** What clients send to create a user, or to replace one among the documents. */
export const userInputSchema = z.strictObject(fields, objectRule).meta({ id: 'UserInput' });
export type UserInput = z.infer<typeof userInputSchema>;

/** What clients send to change a user in SQL: a field that is absent stays. */
export const userChangeSchema = z
  .strictObject({ firstname: fields.firstname.optional(), lastname: fields.lastname.optional() }, objectRule)
  .meta({ id: 'UserChange' });
export type UserChange = z.infer<typeof userChangeSchema>;

/** What clients send to create a user in both stores. */
export const userInBothInputSchema = z
  .strictObject(
    {
      ...fields,
      id: z
        .int(idRule)
        .min(1, idRule)
        .max(MAX_CHOSEN_ID, idRule)
        .optional()
        .meta({ description: 'absent: the next id that neither store has used' }),
    },
    objectRule,
  )
  // Without an id: sent as it is shown, it makes a user under the next one.
  .meta({ id: 'UserInBothInput', example: { firstname: 'Ada', lastname: 'Lovelace' } });
export type UserInBothInput = z.infer<typeof userInBothInputSchema>;

/** What clients are shown of a user in SQL. */
export const userSchema = z.object({ id: z.int().min(1).meta({ example: 1 }), ...fields }).meta({ id: 'User' });
export type User = z.infer<typeof userSchema>;

/** What clients are shown of a user among the documents. */
export const documentUserSchema = z
  .object({ id: z.string().meta({ example: 'ada-1815' }), ...fields })
  .meta({ id: 'DocumentUser' });

/** What clients are shown of a user that was created in both stores. */
export const userInBothSchema = z
  .object({
    id: z.int().min(1).meta({ example: 1 }),
    ...fields,
    transactionId: z.string().meta({ format: 'uuid', example: '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77' }),
  })
  .meta({ id: 'UserInBoth' });
