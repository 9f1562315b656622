/** The rules that a simulation can drop; REAL drops none. */
export interface Variant {
  /** The lock falls with the process that holds it, not with the verdict on it. */
  readonly killsBeforePromotion: boolean;
  /** Every commit checks that its epoch is still the latest. */
  readonly commitsWithEpoch: boolean;
  /** The echo waits for nothing, above all for no disk. */
  readonly echoesWithoutDisk: boolean;
  /** A monitor that was held itself counts that as no silence of others. */
  readonly mindsItsOwnPauses: boolean;
  /** An opening process may be silent for longer than one that serves. */
  readonly waitsForOpenings: boolean;
}

export const REAL: Variant = {
  killsBeforePromotion: true,
  commitsWithEpoch: true,
  echoesWithoutDisk: true,
  mindsItsOwnPauses: true,
  waitsForOpenings: true,
};

export const PLANTED: Readonly<Record<string, Variant>> = {
  'promote before the kill': { ...REAL, killsBeforePromotion: false },
  'no epoch in the commit': { ...REAL, commitsWithEpoch: false },
  'the echo waits for the disk': { ...REAL, echoesWithoutDisk: false },
  'a pause of the monitor is the silence of others': { ...REAL, mindsItsOwnPauses: false },
  'an opening has no time of its own': { ...REAL, waitsForOpenings: false },
};
