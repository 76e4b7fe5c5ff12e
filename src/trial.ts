import { systemClock } from './lib/clock.ts'
import { createUnitControl } from './systemd/unitControl.ts'
import { runTrial } from './versions/runTrial.ts'
import { TrialFiles } from './versions/trialFiles.ts'

// A separate small program: `trial DATA UNIT`. versions/programKeeper.ts starts it as a unit.

const [data = '', helper = ''] = process.argv.slice(2)
await runTrial({
  files: new TrialFiles(data),
  units: createUnitControl(),
  clock: systemClock,
  helper,
})
