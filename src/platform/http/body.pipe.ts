import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { validBody } from './valid-body.js';

/** Validates a body against the zod schema named in `@Body({ schema })`, as `validBody` does. */
class BodyPipe implements PipeTransform {
  constructor(private readonly serverOwned: readonly string[]) {}

  transform(value: unknown, { schema }: ArgumentMetadata): unknown {
    if (schema === undefined) throw new Error('BODY_PIPE needs @Body({ schema })');
    return validBody(schema, value, this.serverOwned);
  }
}

export const BODY_PIPE = new BodyPipe(['id', 'orders_count']);
/** Where clients may choose the id. */
export const BODY_PIPE_WITH_ID = new BodyPipe(['orders_count']);
