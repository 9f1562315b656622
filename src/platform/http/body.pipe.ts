import { type ArgumentMetadata, Body, type PipeTransform } from '@nestjs/common';
import { noBodySchema } from './schemas.js';
import { validBody } from './valid-body.js';

class BodyPipe implements PipeTransform {
  constructor(private readonly serverOwned: readonly string[]) {}

  transform(value: unknown, { schema }: ArgumentMetadata): unknown {
    if (schema === undefined) throw new Error('BODY_PIPE needs @Body({ schema })');
    return validBody(schema, value, this.serverOwned);
  }
}

export const BODY_PIPE = new BodyPipe(['id', 'orders_count']);
/** For resources whose ids clients may choose. */
export const BODY_PIPE_WITH_ID = new BodyPipe(['orders_count']);

/** The parameter of a POST that takes no body: an empty one, of any type, or `{}`. Throws `validation-failed` for a field in it. */
export const NoBody = (): ParameterDecorator => Body({ schema: noBodySchema, pipes: [BODY_PIPE] });
