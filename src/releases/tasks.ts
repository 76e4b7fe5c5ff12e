import { hashFile, type HashJob, type HashResult } from './fileHashing.ts'
import { buildFile, type BuildFileJob, type BuildFileResult } from './fileBuilding.ts'
import { surveyFolder, type SurveyJob, type Survey } from './folderSurvey.ts'
import { holdsContent, type ContentJob } from './contentCheck.ts'

/** Work that is done file by file, on worker threads if there is much of it. All tasks are synchronous. */
export interface Tasks {
  hash: { job: HashJob; result: HashResult }
  build: { job: BuildFileJob; result: BuildFileResult }
  survey: { job: SurveyJob; result: Survey }
  check: { job: ContentJob; result: boolean }
}

export type TaskName = keyof Tasks

export const tasks: { [Name in TaskName]: (job: Tasks[Name]['job']) => Tasks[Name]['result'] } = {
  hash: hashFile,
  build: buildFile,
  survey: surveyFolder,
  check: holdsContent,
}
