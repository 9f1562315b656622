import type { ChainPosition } from '../../../src/kernel/index.js';
import type { ReplicaEffect, ReplicaMessage } from '../../../src/protocols/replication/index.js';

const CODE_OF_A = 'a'.charCodeAt(0);

/** Writes are named by a letter; 0 is the first record of an epoch. */
export function opOf(letter: string): number {
  return letter.charCodeAt(0) - CODE_OF_A + 1;
}

export function deedOf(effect: ReplicaEffect): string {
  switch (effect.kind) {
    case 'keep-promise':
      return `promises ${effect.promise.promisedEpoch}${effect.promise.canVote ? '' : ' without a vote'}`;
    case 'append':
      return `takes ${effect.records.map(positionText).join(' ')}`;
    case 'install':
      return `installs ${positionText(effect.position)}`;
    case 'set-aside':
    case 'answer':
      return effect.kind;
  }
}

export function messageOf(message: ReplicaMessage): string {
  return message.kind === 'append' ? `append after ${positionText(message.after)}` : message.kind;
}

export function positionText({ epoch, seq }: Pick<ChainPosition, 'epoch' | 'seq'>): string {
  return `${epoch}.${seq}`;
}

/** The records with their writes: `1.2x` is write x, `1.1` opens an epoch. */
export function list(log: readonly { readonly epoch: number; readonly seq: number; readonly op: number }[]): string {
  const shown = log.map(
    ({ op, ...position }) => positionText(position) + (op === 0 ? '' : String.fromCharCode(CODE_OF_A - 1 + op)),
  );
  return shown.length === 0 ? 'nothing' : shown.join(' ');
}
