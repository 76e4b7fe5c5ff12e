const storedAs = 'tandem.scheme'

/** Dark or light as this browser chose it last; else as its system says. */
export function restoreScheme(): void {
  const chosen = localStorage.getItem(storedAs)
  if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset['scheme'] = chosen
}

/** Changes from dark to light, or back. */
export function switchScheme(): void {
  const { dataset } = document.documentElement
  const isDark =
    (dataset['scheme'] ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark'
  dataset['scheme'] = isDark ? 'light' : 'dark'
  localStorage.setItem(storedAs, dataset['scheme'])
}
