const REDIRECTED = 'Too many Cluster redirections. Last error: ReplyError: ';

/** The node, or its connection, serves no call now, whatever the call asks for. */
const OF_NO_USE = new Set([
  // It sees too few of the other nodes, or none of them has the slot.
  'CLUSTERDOWN',
  // It loads its data, or a script keeps it.
  ...['LOADING', 'BUSY'],
  // It became a replica after the map of slots was read.
  ...['MASTERDOWN', 'READONLY'],
  // It refuses this process.
  ...['NOAUTH', 'WRONGPASS', 'NOPERM', 'DENIED'],
]);
const NO_MORE_CLIENTS = 'ERR max number of clients reached';

/**
 * Whether a call that failed in this way was answered by a node of use. An error reply is an answer when it is about the key or the
 * command: MOVED, ASK and TRYAGAIN while a slot moves; OOM, MISCONF and NOREPLICAS, which refuse writes while the node still serves
 * its entries; WRONGTYPE and ERR. It counts as a failure of the node when every call would get it (OF_NO_USE), as silence does.
 */
export function isUsefulAnswer(error: Error): boolean {
  const reply = replyOf(error);
  return reply !== undefined && !OF_NO_USE.has(codeOf(reply)) && !reply.startsWith(NO_MORE_CLIENTS);
}

/** How the node refuses the password that this process gave, or that it gave none. */
export function refusalOfPassword(error: Error): string | undefined {
  const code = codeOf(replyOf(error) ?? '');
  if (code === 'NOAUTH') return 'asks for a password';
  return code === 'WRONGPASS' ? 'refuses the password' : undefined;
}

/** The driver wraps the last error when the redirections are used up. */
function replyOf({ name, message }: Error): string | undefined {
  if (name === 'ReplyError') return message;
  return message.startsWith(REDIRECTED) ? message.slice(REDIRECTED.length) : undefined;
}

function codeOf(reply: string): string {
  return reply.split(' ', 1)[0] ?? '';
}
