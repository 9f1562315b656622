import { z } from 'zod';

const ID_RULE = 'must be a string of 1 to 255 characters';

const groupId = z
  .string(ID_RULE)
  .min(1, ID_RULE)
  .max(255, ID_RULE)
  .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
  .meta({ example: '1' });
const nodeId = z.string().meta({ example: '127.0.0.1:5071' });

export const groupInputSchema = z.strictObject({ groupId });
/** Of a request about all groups: one that names a group was meant for another path. */
export const noInputSchema = z.strictObject({});
export const groupSchema = z.object({ groupId, nodeId });
export const groupListSchema = z.object({ nodeId, groups: z.array(groupSchema) });
export const groupMessageSchema = z.object({
  message: z.string().meta({ example: 'group 1 is deleted' }),
});
export const groupUndoneSchema = z.object({
  message: z.string().meta({ example: 'operation 019a9e5c is undone here' }),
  nodeId,
  groupId: groupId.optional(),
  present: z.boolean().optional().meta({ description: 'whether the group is there now' }),
});
