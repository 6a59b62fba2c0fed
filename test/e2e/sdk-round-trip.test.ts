import { describeRoundTrip } from './round-trip.ts'

describeRoundTrip('SQLite', async () => ({}))
