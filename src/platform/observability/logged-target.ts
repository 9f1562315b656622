const MAX_LENGTH = 200;
/** Queries whose values are logged; an unknown query may hold a key. */
const SHOWN = new Set(['limit', 'after', 'min_seq', 'state', 'seq']);

/** A request target made safe for the log: short, and without possible secrets. */
export function loggedTarget(target: string): string {
  const query = target.indexOf('?');
  const whole = query < 0 ? target : `${target.slice(0, query)}?${loggedQuery(target.slice(query + 1))}`;
  if (whole.length <= MAX_LENGTH) return whole;
  return `${whole.slice(0, MAX_LENGTH)}... (${String(target.length)} characters)`;
}

function loggedQuery(query: string): string {
  return query
    .slice(0, MAX_LENGTH)
    .split('&')
    .map((part) => {
      const [name = ''] = part.split('=', 1);
      if (SHOWN.has(name)) return part;
      return name === part ? '...' : `${name}=...`;
    })
    .join('&');
}
