import autocannon from 'autocannon';
import { CONNECTIONS, type Load, type LoadCount, type LoadGenerator } from './load.js';

/** For machines without wrk. Costs as much per answer as a quick server does. */
export class Autocannon implements LoadGenerator {
  readonly name = 'autocannon';
  readonly boundsFigures = true;

  async run({ url, seconds, headers = {}, connections = CONNECTIONS, write, posts }: Load): Promise<LoadCount> {
    const result = await autocannon({
      url,
      connections,
      duration: seconds,
      headers: write ? { ...headers, 'content-type': 'application/json' } : headers,
      ...(write && { requests: [numbered(write)] }),
      ...(posts && { requests: [withOwnPath(posts)] }),
    });
    return {
      requests: result.requests.total,
      seconds: result.duration,
      bytes: result.throughput.total,
      refused: result['4xx'] + result['5xx'],
      broken: result.errors + result.timeouts,
    };
  }
}

function withOwnPath({ path, firstNumber }: NonNullable<Load['posts']>): autocannon.Request {
  let number = firstNumber;
  return {
    method: 'POST',
    setupRequest: (request) => {
      number += 1;
      return { ...request, path: path.replace('{n}', String(number)) };
    },
  };
}

function numbered({ method, body, firstNumber }: NonNullable<Load['write']>): autocannon.Request {
  let number = firstNumber;
  return {
    method,
    setupRequest: (request) => {
      number += 1;
      return { ...request, body: body.replace('{n}', String(number).padStart(12, '0')) };
    },
  };
}
