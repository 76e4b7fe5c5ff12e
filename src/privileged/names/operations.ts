import { z } from 'zod'
import { writeNames } from '../../drivers/names/hostsFile.ts'
import { hostsPath } from '../../layout/names.ts'
import { serviceShape } from '../instanceShape.ts'
import { operation, type Operations } from '../operation.ts'

const mostNames = 10_000
const namesShape = z.strictObject({
  names: z
    .array(z.strictObject({ service: serviceShape, address: z.string().regex(/^127\.77\.\d{1,3}\.\d{1,3}$/) }))
    .max(mostNames),
})

/** The caller can only name addresses of 127.77.0.0/16, and only below tandem.internal. */
export const namesOperations = (path = hostsPath): Operations => ({
  'names.write': operation(namesShape, async ({ names }) => writeNames(path, names), 'names'),
})
