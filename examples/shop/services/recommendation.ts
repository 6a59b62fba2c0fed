/** Suggests products that go with what a shopper looks at: a small factor model, then the catalog's data. */
import { pause } from '../runtime/pause.ts'
import { runService } from '../runtime/service.ts'

const firstSku = 101
const productCount = 24
const factorCount = 16

await runService(({ caller, chance, control, journal, tracer }) => {
  const factors = Array.from({ length: productCount }, () =>
    Float64Array.from({ length: factorCount }, () => chance.next() - 0.5),
  )
  const affinity = (left: number, right: number): number => {
    let sum = 0
    for (let each = 0; each < factorCount; each++) {
      sum += (factors[left]?.[each] ?? 0) * (factors[right]?.[each] ?? 0)
    }
    return sum
  }
  const rank = (seed: number): readonly number[] =>
    Array.from({ length: productCount }, (_, index) => index)
      .filter(index => index !== seed)
      .sort((left, right) => affinity(seed, right) - affinity(seed, left))

  /** One pass of the alternating fit over every pair of products, for so many milliseconds of processor time. */
  const refitFor = (milliseconds: number): void => {
    const end = performance.now() + milliseconds
    while (performance.now() < end) {
      for (let left = 0; left < productCount; left++) {
        for (let right = 0; right < productCount; right++) {
          const step = 1e-6 * (0.1 - affinity(left, right))
          const row = factors[left]
          if (row !== undefined) row[right % factorCount] = (row[right % factorCount] ?? 0) + step
        }
      }
    }
  }
  const refitInBackground = async (): Promise<void> => {
    for (;;) {
      if (control.meets('refit-always')) refitFor(80)
      await pause(control.meets('refit-always') ? 20 : 250)
    }
  }
  void refitInBackground()

  return {
    'GET /recommendations/{sku}': async ({ parameters }) => {
      const seed =
        Math.max(0, Number((parameters['sku'] ?? '').replace('sku-', '')) - firstSku) % productCount
      const skus = tracer.startActiveSpan('rank products', span => {
        const ranked = rank(seed).slice(0, 2)
        span.end()
        return ranked.map(index => `sku-${firstSku + index}`)
      })
      const products = await Promise.all(
        skus.map(sku => caller.fetch('catalog', { path: `/products/${sku}` })),
      )
      journal.info(`suggested ${products.length} products to go with ${parameters['sku']}`)
      return { products }
    },
  }
})
