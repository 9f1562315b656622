export const INTRODUCTION = `Keeps groups on all nodes or on none, whatever fails on the way.`;

export const EXPLANATION = `
Commands:
  npm run cluster -- create '{"groupId": "1"}'   on all nodes, or on none
  npm run cluster -- delete '{"groupId": "1"}'   from all nodes, or from none
  npm run cluster -- get 1                       which nodes have it
  npm run cluster -- list                        every group, and which nodes have it
  npm run cluster -- clear                       all groups from all nodes, or from none
  npm run cluster -- status                      how the nodes do, and what is open
  npm run cluster -- repair                      finishes what was left open, and raises nodes that lag or are new

--unknown decides about a node that does not know operation ids, never answered, and has the group while the others are
rolled back: leave-open, undo (the group is this operation's) or leave (it is somebody else's). leave also gives up what can
never be finished, because a node is gone for good or all is too long ago.

How a node stands afterwards
  done         it did it                     refused      it answered no, and is as it was
  already      nothing to do there           unreachable  it never got the call, and is as it was
  rolled back  it did it, and it is undone   unknown      cannot be told: the operation stays open
  untouched    it was not asked

Exit code
  0  done, on every node
  1  not done: refused or rolled back (no node is changed), or open (the nodes that are unknown are named; "repair" or
     the next command on the group finishes it)
  2  unknown command or option

Nodes are called in the order of their addresses: the first one decides, then all others at once. Before it is told that
it is done, all are looked at once more. Calls that fail are tried again after a random, growing wait; a node that answers
500 or 501 to a change has ended it, and is looked at instead. What is under way is on this machine's disk before a node is asked, so that
"repair" can finish it also when this process is killed.
`;
