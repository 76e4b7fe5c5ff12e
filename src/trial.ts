import { partsUnit, unitOfTrial } from './layout/units.ts'
import { systemClock } from './lib/clock.ts'
import { programFolder } from './lib/programFolder.ts'
import { partFlagsIn } from './lib/partFlags.ts'
import { readVersion } from './lib/version.ts'
import { describeInstalled, digestFor } from './parts/describeInstalled.ts'
import { PartsChange } from './parts/partsChange.ts'
import { PartsFiles } from './parts/partsFiles.ts'
import { systemdPartsHost } from './parts/partsHost.ts'
import { createUnitControl } from './systemd/unitControl.ts'
import { changeParts } from './versions/changeParts.ts'
import { commandIn, releaseOf } from './versions/ownProgram.ts'
import { runTrial } from './versions/runTrial.ts'
import { TrialFiles } from './versions/trialFiles.ts'

// A separate small program, which runs as a unit:
// `trial DATA TRIAL-UNIT` tries another version (started by the version before),
// `trial parts DATA UNIT` changes the units, users and folders of Tandem to those of this version.

const [first = '', second = '', third = ''] = process.argv.slice(2)
const isTrial = first !== 'parts'
const [data, unit] = isTrial ? [first, unitOfTrial(second)] : [second, third]
const units = createUnitControl()
const files = new TrialFiles(data)
const also = files.trial?.also
const change = new PartsChange({
  ...{ files: new PartsFiles(data), host: systemdPartsHost(), unit },
  // A version from before the helper of this part does not try it.
  alsoTried: also ? [also.unit] : [],
})
const helper = partsUnit(unit)

if (isTrial) await runTrial({ files, units, change, clock: systemClock, helper: second, partsHelper: helper })
else {
  const own = { folder: programFolder, node: process.execPath, options: partFlagsIn(programFolder), words: [] }
  await changeParts({
    ...{ files, change, units, unit, own, helper, version: readVersion(), digest: digestFor(unit) },
    command: (words) => (releaseOf(own) === null ? null : commandIn(programFolder, { ...own, words })),
    describe: () => describeInstalled(unit, data),
    clock: systemClock,
    random: () => Math.random(),
    log: (text) => console.log(text),
  })
}
