const MOST_CHARACTERS = 200;
/** Queries whose values are worth a line; one that we do not know may hold a key. */
const SHOWN = new Set(['limit', 'after', 'min_seq', 'state', 'seq']);

/** The target of a request as it may stand in a log: not long, and without what may be a secret. */
export function shownTarget(target: string): string {
  const query = target.indexOf('?');
  const whole = query < 0 ? target : `${target.slice(0, query)}?${shownQuery(target.slice(query + 1))}`;
  if (whole.length <= MOST_CHARACTERS) return whole;
  return `${whole.slice(0, MOST_CHARACTERS)}... (${String(target.length)} characters)`;
}

function shownQuery(query: string): string {
  return query
    .slice(0, MOST_CHARACTERS)
    .split('&')
    .map((part) => {
      const [name = ''] = part.split('=', 1);
      if (SHOWN.has(name)) return part;
      return name === part ? '...' : `${name}=...`;
    })
    .join('&');
}
