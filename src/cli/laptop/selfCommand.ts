/** How to run this program again: the same Node, the same flags, the same script. */
export function selfCommand(): { command: string; args: string[] } {
  const [, script] = process.argv
  if (script === undefined) throw new Error('this program does not know its own script: a bug')
  return { command: process.execPath, args: [...process.execArgv, script] }
}
