import { z } from 'zod';

const ID_RULE = 'must be a string of 1 to 255 characters';

const groupId = z
  .string(ID_RULE)
  .min(1, ID_RULE)
  .max(255, ID_RULE)
  .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
  .meta({ example: '1' });
const nodeId = z.string().meta({ example: '127.0.0.1:5071' });

/** In URLs `.` and `..` mean a folder, even percent-encoded (RFC 3986, 5.2.4; WHATWG URL). */
const isSegment = (text: string): boolean => text !== '.' && text !== '..';

/** Also accepts ids that earlier builds let clients create. */
export const groupInputSchema = z.strictObject({ groupId }).meta({ id: 'GroupInput' });
export const newGroupSchema = z.strictObject({
  groupId: groupId.refine(isSegment, 'must not be "." or "..", which no client could read by its path'),
});
/** For a request about all groups: a request that names a group was meant for another path. */
export const noInputSchema = z.strictObject({});
export const groupSchema = z.object({ groupId, nodeId }).meta({ id: 'Group' });
export const groupListSchema = z.object({ nodeId, groups: z.array(groupSchema) }).meta({ id: 'GroupList' });
/** Strict, so that no answer matches both this schema and `groupUndoneSchema`. */
export const groupMessageSchema = z
  .strictObject({ message: z.string().meta({ example: 'group 1 is deleted' }) })
  .meta({ id: 'GroupMessage' });
export const groupUndoneSchema = z
  .object({
    message: z.string().meta({ example: 'operation 019a9e5c was undone on this node' }),
    nodeId,
    groupId: groupId.optional(),
    present: z.boolean().optional().meta({ description: 'whether the group exists now' }),
  })
  .meta({ id: 'GroupUndone' });
export const groupVersionSchema = z
  .object({
    message: z.string().meta({ example: 'the highest version that this node has seen is 7' }),
    nodeId,
    version: z.string().meta({ example: '7', description: 'in digits, since JSON numbers are not exact above 2^53' }),
  })
  .meta({ id: 'GroupVersion' });
