import { LastResourceDisk, MemoryLastResource } from '../support/memory-last-resource.js';
import { MemoryParticipant, ParticipantDisk } from '../support/memory-participant.js';
import { describeLastResourceContract } from './last-resource-contract.js';
import { describeParticipantContract } from './participant-contract.js';

describeParticipantContract('MemoryParticipant', { refuses: true, remembers: true, rulesOut: true }, async () => {
  const disk = new ParticipantDisk();
  let participant = new MemoryParticipant('memory', disk);
  let count = 0;
  disk.names.push('taken');
  return {
    participant: () => participant,
    work: () => `name ${(count += 1)}`,
    impossibleWork: () => 'taken',
    timesDone: async (work) => disk.names.filter((name) => name === work).length,
    reopen: async () => {
      participant = new MemoryParticipant('memory', disk);
    },
    close: () => Promise.resolve(),
  };
});

describeLastResourceContract('MemoryLastResource', async () => {
  const disk = new LastResourceDisk();
  let lastResource = new MemoryLastResource(disk);
  let count = 0;
  disk.names.push('taken');
  return {
    lastResource: () => lastResource,
    work: () => `name ${(count += 1)}`,
    resultOf: (work) => work,
    refusedWork: () => 'taken',
    timesDone: async (work) => disk.names.filter((name) => name === work).length,
    reopen: async () => {
      lastResource = new MemoryLastResource(disk);
    },
    close: () => Promise.resolve(),
  };
});
