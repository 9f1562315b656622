import { describe, expect, it } from '@jest/globals';
import { redisComplaintIn } from './redis-obstacles.js';

describe('what a Redis server complained of', () => {
  it.each([
    [
      'a taken port',
      '1:M 30 Nov 2026 21:00:00.000 # Warning: Could not create server TCP listening socket 127.0.0.1:7000: bind: Address already in use\n',
      /^port-taken: port 7000 or 17000, for Redis 1, .*REDIS_CLUSTER_PORTS/,
    ],
    [
      'a version that is too old',
      "*** FATAL CONFIG FILE ERROR (Redis 6.0.16) ***\nReading the configuration file, at line 9\n>>> 'shutdown-timeout 0'\nBad directive\n",
      "/x/redis.conf, line 9: Redis 6.0.16 refuses 'shutdown-timeout 0': install Redis 7 or later",
    ],
    [
      'a broken configuration',
      "*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\nReading the configuration file, at line 2\n>>> 'cluster-enabeld yes'\nBad directive\n",
      `/x/redis.conf, line 2: Redis 7.0.15 refuses 'cluster-enabeld yes': "git checkout cluster-config" puts it back`,
    ],
    [
      'a damaged nodes.conf',
      '1:M 30 Nov 2026 21:00:00.000 # Unrecoverable error: corrupted cluster config file.\n',
      '/data/redis/node-1/nodes.conf of Redis 1 is damaged: delete that file, it is made again',
    ],
    [
      'a missing configuration',
      "1:C 30 Nov 2026 21:00:00.000 # Fatal error, can't open config file '/x/redis.conf': No such file or directory\n",
      `Fatal error, can't open config file '/x/redis.conf': No such file or directory: "git checkout cluster-config" puts it back`,
    ],
    ['nothing', '1:M 30 Nov 2026 21:00:00.000 # WARNING Memory overcommit must be enabled!\n', undefined],
  ])('is found in its output: %s', (_, output, complaint) => {
    const found = redisComplaintIn(output, {
      ...{ number: 1, port: 7000, directory: '/data/redis/node-1', file: '/x/redis.conf' },
    });

    if (complaint instanceof RegExp) expect(found).toMatch(complaint);
    else expect(found).toBe(complaint);
  });
});
