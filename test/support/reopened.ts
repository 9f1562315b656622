/** Looks now, and once more at what a restart leaves. */
export async function alsoAfterReopening(
  underTest: { reopen(): Promise<unknown> },
  look: () => Promise<void>,
): Promise<void> {
  await look();
  await underTest.reopen();
  await look();
}
