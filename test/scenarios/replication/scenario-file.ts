import { ScenarioWorld } from './scenario-world.js';

const DASHES = '----';

/** The first sentence of the prose. */
export function titleOf(text: string): string {
  const [prose = ''] = text.split('\n\n');
  return /^.*?\.(?=\s|$)/s.exec(prose)?.[0].replace(/\s+/g, ' ') ?? prose;
}

/** The text with the actual outcomes. */
export function runScenario(text: string): string {
  const world = new ScenarioWorld();
  const blocks = text.trimEnd().split('\n\n');
  const outcome = blocks.map((block) => {
    const lines = block.split('\n');
    const end = lines.indexOf(DASHES);
    if (end === -1) return block;
    const commands = lines.slice(0, end);
    return [...commands, DASHES, ...commands.flatMap((command) => world.run(command))].join('\n');
  });
  return `${outcome.join('\n\n')}\n`;
}
