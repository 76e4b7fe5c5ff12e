import { signal, type ReadonlySignal } from '@preact/signals'

/** A phone, or a magnified page: the same width as in the styles. */
const query = matchMedia('(max-width: 899px)')
const narrow = signal(query.matches)
query.addEventListener('change', () => (narrow.value = query.matches))

export const isNarrow: ReadonlySignal<boolean> = narrow
