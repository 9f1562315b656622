export const INTRODUCTION = `Keeps each group on all nodes or on none, whatever fails.`;

export const EXPLANATION = `
Commands:
  npm run cluster -- create '{"groupId": "1"}'   create the group on all nodes, or on none
  npm run cluster -- delete '{"groupId": "1"}'   delete the group from all nodes, or from none
  npm run cluster -- get 1                       show the nodes that have the group
  npm run cluster -- list                        list all groups and the nodes that have them
  npm run cluster -- clear                       delete all groups from all nodes, or from none
  npm run cluster -- status                      show the state of the nodes and the open operations
  npm run cluster -- repair                      finish open operations, and raise nodes that lag or are new

--unknown decides about a node that does not know operation ids, never answered, and has the group while the other nodes
are rolled back: leave-open, undo (this operation created the group) or leave (another client created it). leave also gives
up an operation that can never be finished, because a node is gone for good or the operation is too old.

Outcome of a node
  done         the change was made           refused      the node refused; it has not changed
  already      nothing to change             unreachable  the call never arrived; the node has not changed
  rolled back  the change was undone         unknown      the outcome is not known: the operation stays open
  untouched    the node was not called

Exit code
  0  done on every node
  1  not done: refused or rolled back (no node has changed), or open (the output names the unknown nodes; "repair" or the
     next command on the group finishes the operation)
  2  unknown command or option

The client calls the nodes in the order of their addresses: the first node decides, then the client calls all others at
once. It checks every node again before it reports done. It repeats failed calls after a random, growing wait. A node that
answers 500 or 501 has ended the change, so the client checks that node instead. The client stores each operation on this
machine's disk before it calls a node, so "repair" can finish the operation even after a kill of this process.
`;
