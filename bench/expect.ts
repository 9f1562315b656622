/** The app answered or stored something else than it must: the figure would mean nothing. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer';
}

export function expect(isRight: boolean, otherwise: string): asserts isRight {
  if (!isRight) throw new WrongAnswer(otherwise);
}
