/** What a simulation plants; REAL plants nothing. */
export interface Variant {
  /** Clients tell the other nodes which place the first one gave an operation. */
  readonly sendsVersions: boolean;
  /** Clients ask for a place above all that any node has met. */
  readonly asksForVersionAbove: boolean;
  /** Clients take an undo that nobody answered for done. */
  readonly trustsUndos: boolean;
  /** Clients take back by a look alone what a node that answers 500 has not done, only where nothing can come later. */
  readonly mindsWhatIsLate: boolean;
  /** Where the node has met nothing since, either. */
  readonly mindsWhatIsBelow: boolean;
  /** Clients do not take what a node has answered 500 to for undone when it cannot be reached after that. */
  readonly mindsWhatFailed: boolean;
  /** Clients take what a node that answers 500 is seen to have for its doing, also where operation ids are known. */
  readonly believesLooks: boolean;
  /** Nodes remember what was undone, and refuse it when it comes late. */
  readonly remembersUndos: boolean;
  /** An undo looks at whose the group is. */
  readonly undoesOnlyItsOwn: boolean;
  /** Clients look once more before they tell that it is done. */
  readonly looksBeforeDone: boolean;
  /** Clients ask for a place above what any node has met, however far ahead of the others that is. */
  readonly believesAnyNumber: boolean;
  /** A repair raises nodes that lag. */
  readonly raises: boolean;
  /** Nodes refuse a place that is far above all that they have met. */
  readonly refusesLeaps: boolean;
  /** Nodes give the last number that JavaScript counts to whatever comes after it. */
  readonly endsNumbers: boolean;
}

export const REAL: Variant = {
  sendsVersions: true,
  asksForVersionAbove: true,
  trustsUndos: false,
  mindsWhatIsLate: true,
  mindsWhatIsBelow: true,
  mindsWhatFailed: true,
  believesLooks: false,
  remembersUndos: true,
  undoesOnlyItsOwn: true,
  looksBeforeDone: true,
  believesAnyNumber: false,
  raises: true,
  refusesLeaps: true,
  endsNumbers: false,
};

export const PLANTED: Readonly<Record<string, Variant>> = {
  'every node orders operations by itself': { ...REAL, sendsVersions: false },
  'an operation has its place above what the first node has met': { ...REAL, asksForVersionAbove: false },
  'an undo without an answer counts as done': { ...REAL, trustsUndos: true },
  'a look ends what may come later': { ...REAL, mindsWhatIsLate: false },
  'a look ends what may stand below a later change': { ...REAL, mindsWhatIsBelow: false },
  'a node that failed, and is not reached after that, has done nothing': { ...REAL, mindsWhatFailed: false },
  'what a node that fails is seen to have is its doing': { ...REAL, believesLooks: true },
  'an undo leaves no mark': { ...REAL, remembersUndos: false },
  'an undo removes whatever is there': { ...REAL, undoesOnlyItsOwn: false },
  'what all nodes have said is told without a look': { ...REAL, looksBeforeDone: false },
  'a number that one node has met is asked of all': { ...REAL, believesAnyNumber: true },
  'a repair raises nobody': { ...REAL, raises: false },
  'a node takes any number': { ...REAL, refusesLeaps: false },
  'the numbers come to an end': { ...REAL, endsNumbers: true },
};
