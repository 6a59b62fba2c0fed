/** A number and what it counts: `1 service`, `2 services`. */
export function amount(number: number, one: string, several: string = `${one}s`): string {
  return `${number} ${number === 1 ? one : several}`
}
