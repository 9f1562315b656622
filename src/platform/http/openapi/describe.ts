import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiParam, ApiQuery, ApiResponse } from '@nestjs/swagger';
import * as operations from './operations.js';
import type { OpenApiOperation } from './parts.js';

type Decorator = MethodDecorator & ClassDecorator;

const PARAMETER = { path: ApiParam, query: ApiQuery, header: ApiHeader };

/** Describes the route of a controller's method with the same parts as a process without Nest. */
export function Describe({ parameters, requestBody, responses, ...operation }: OpenApiOperation): Decorator {
  return applyDecorators(
    ApiOperation(operation as object),
    ...parameters.map((parameter) => PARAMETER[parameter.in](parameter)),
    ...(requestBody ? [ApiBody({ ...requestBody, ...(requestBody.content['application/json'] as object) })] : []),
    ...Object.entries(responses).map(([status, response]) =>
      ApiResponse({ status: Number(status), ...(response as object) }),
    ),
  );
}

const describing =
  <T>(operationOf: (described: T) => OpenApiOperation) =>
  (described: T): Decorator =>
    Describe(operationOf(described));

export const DescribeAction = describing(operations.actionOperation);
export const DescribeDelete = describing(operations.removeOperation);
export const DescribeList = describing(operations.listOperation);
export const DescribePost = describing(operations.createOperation);
export const DescribePut = describing(operations.replaceOperation);
export const DescribeRead = describing(operations.readOperation);
export const DescribeView = describing(operations.viewOperation);
