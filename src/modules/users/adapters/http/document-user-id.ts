import { isTextId } from '../../../../platform/documents/index.js';
import { type IdDescription, malformedField } from '../../../../platform/http/index.js';

const RULE = '1 to 64 of the characters A-Z, a-z, 0-9, _ and -';

export const DOCUMENT_USER_IDS: IdDescription = {
  description: RULE,
  schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' },
  example: 'ada-1815',
};

export function parseDocumentUserId(text: string): string {
  if (!isTextId(text)) throw malformedField('malformed-id', 'id', `must be ${RULE}`);
  return text;
}
