import './lib/withoutLanguages.ts'
import { aroundStops } from './cli/aroundStops.ts'
import { watchInterrupts } from './cli/interrupts.ts'
import { closeInheritedFiles } from './lib/inheritedFiles.ts'
import { readVersion } from './lib/version.ts'

// The composition root: the only place that selects implementations. Each part is loaded only when it runs.

closeInheritedFiles()
// Loaded now, because a static import would load its packages before the first line of this file.
const { runCli } = await import('./cli/runCli.ts')
process.exitCode = await runCli(process.argv.slice(2), {
  // Opened only by the code that reads it, because an open standard input keeps a process alive.
  stdin: () => process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  version: readVersion(),
  interrupts: watchInterrupts,
  aroundStops,
  entryPoints: {
    initController: async ({ start, ...founding }) => {
      if (start) (await import('./installation/startControllerUnit.ts')).mayStartController(founding.data)
      return (await import('./controller/foundCluster.ts')).foundCluster(founding)
    },
    startController: async (cluster, data, words) =>
      (await import('./installation/startControllerUnit.ts')).startControllerUnit(cluster, data, words),
    here: async () => (await import('./machine/features.ts')).workHere,
    signOffline: async (options) => (await import('./controller/signOffline.ts')).signOffline(options),
    leaveMachine: async (options) => {
      const { leavings } = await import('./machine/features.ts')
      return (await import('./installation/leaveMachine.ts')).leaveMachine(options, leavings)
    },
    examineMachine: async (options) => {
      const { examinations: features } = await import('./machine/features.ts')
      return (await import('./examine/checkups.ts')).examineHere({ ...options, features })
    },
    runController: async (options) => (await import('./runController.ts')).runController(options),
    joinMachine: async (options, signal) => {
      const { joinings } = await import('./machine/features.ts')
      return (await import('./installation/joinMachine.ts')).joinMachine(options, joinings, signal)
    },
    runPrivileged: async (options) => (await import('./runPrivileged.ts')).runPrivileged(options),
    runControllerHelper: async (options) => (await import('./runPrivileged.ts')).runControllerHelper(options),
    runProgram: async (name, options) => (await import('./machine/features.ts')).runProgram(name, options),
    runAgent: async (options) => (await import('./runAgent.ts')).runAgent(options),
  },
})
