import { ScenarioWorld } from './scenario-world.js';

const DASHES = '----';

/** The first sentence of the prose. */
export function titleOf(text: string): string {
  const [prose = ''] = text.split('\n\n');
  return /^.*?\.(?=\s|$)/s.exec(prose)?.[0].replace(/\s+/g, ' ') ?? prose;
}

/** The text with the actual outcomes. */
export async function runScenario(text: string): Promise<string> {
  const world = new ScenarioWorld();
  const outcome: string[] = [];
  for (const block of text.trimEnd().split('\n\n')) {
    const lines = block.split('\n');
    const end = lines.indexOf(DASHES);
    if (end === -1) {
      outcome.push(block);
      continue;
    }
    const commands = lines.slice(0, end);
    const output: string[] = [];
    for (const command of commands) output.push(...(await world.run(command)));
    outcome.push([...commands, DASHES, ...output].join('\n'));
  }
  return `${outcome.join('\n\n')}\n`;
}
