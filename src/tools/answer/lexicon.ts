/**
 * What is known of the o200k vocabulary: enough to bound the length of telemetry and of our own answers in
 * tokens, without a tokenizer at run time (which costs 178 ms and 87 MB). The tests hold every entry against
 * a real tokenizer.
 */

/** The characters a word may begin with whose cost is known apart. */
const costPrefixes = ' _.-/(='

/**
 * Words by what they cost: a digit for the word alone, and one for it behind each of `costPrefixes`. Behind any
 * other mark a word costs at most one more than alone.
 */
const wordsByCost = `
11111111: color com config context count create current data date db document email end file find form
function get head http id image in index input int is item json list max min model my name new no node
null open password query request res result root self session set settings start status sub test text time
url user value view
11111112: App Class Core In New System Test Web access account action actions add address admin all am an
api app as auth back bar base be bin block blog body browser build by cache calendar card cart change
channel chat check class client code comment common company component connect contact container content
control core css custom day de debug default delete detail details dev display dist div do doc dom domain
download drop edit editor env error errors event events example export ext feed files filter frame from
front full gen global go group header help helper high history hour html icon im images img import info
init interface ip items java key lang layout lib light link load local location log login main map master
me media member message meta mod module month ms msg native net network not object of off on op options or
order org out output package page parser pass path payment per person place platform play plugin pop post
pre private process product products program project property provider public question read red ref
reference register remove render report reset resource rest results right router run runtime save schema
script search sec select send server service show sign simple site sk source span spec src stat state
static storage store string style svg system tab table tag task team template th the thread title to token
tool top tree type types unit up update upload us use users util utils vector version video web window
work world write www year
11111122: about assets avatar banner basic business cloud comments components dashboard demo design direct
down framework free functions ge general generated google he inc install library live loading logo met
orders pages sdk security services share support testing tests tools watch we
11111211: array center edge format line num response row size str this
11111212: All Code Control Date Is Key Level Line Link Max No On Reg Service State Time To Type act active
after age agent ai alert alpha and angle answer any arr at author auto before best big bind binding bit
bound box buffer builder byte call can cap case cat cell cert chain char character child choice circle
clean clear cli clock close column columns command condition console contract cookie copy cost counter
created days dec def delay depth description dir direction directory distance dot double duration effect
element elements empty enable enabled engine entry exp expression extension extra feature fetch field
fields fill final first flat flow folder for force generator hand handler height hidden hit horizontal
host hours if ignore inner instance it kind label language last layer left length level limit lines loader
lock long loop loss low machine manager mark mask match memory method mode next normal note now number
offset ok old one operation opt option origin original other over owner param parent part pattern peer
percent pin point pointer policy port pos position power prefix primary print progress properties radius
range rate reader real record refresh region rel required return review round route rule scale score
second secret section selected selection selector series setting shell short side single slot sort space
speed square stack stage step stop stream strip success summary super symbol sync tags target term ticket
times total track transform trigger ts turn two uri val valid validation values var variable vars weight
width win with word worker wrapper zone
11111221: cut
11111222: As De END End Length Min Out Port With align alt analysis arrow average black blue brand break
called ce connected controls coordinate cover cross da dark definition disable disabled drive expand
factor family fast feedback fit fixed floor focus follow forward good green gu have health hide hot inline
invalid land large less like linear links loaded major management medium members middle minus more none
online only pad padding party phase picture placeholder plus present processing put ready registration
related release running safe small so soft special standard submit switch tail touch transition trip upper
used validator visible warning white wrap you zero
11112111: forms models random train
11112112: API Add Base Common Create Data Error Event File Form Get Header Input List MAX Main Object Open
Post Register Search String Sub Table Text User View application assert audio cards classes colors
constants customer database entity environment features groups hash include io logger mac math messages
mock non ns operator pkg problem raw resources routes sample socket std tasks xml
11112122: Internal Public apps backend catalog docs entities examples extensions git helpers interfaces
internal latest manual maps modules php plugins png projects questions templates views windows
11112211: Integer NULL None Request args batch false float headers len logging obj params parse req
require sum true username
11112212: APP Action Address Array Block Buffer By Call Cell Channel Check Client Color Command Config
Content Context Current Custom DATA DEBUG DEFAULT Debug Default Display ERROR EVENT Exception FILE Field
Filter Frame Function GET Generic Global Group INFO Id Index Int JSON KEY LOG Label Local Log Long Map
Message Method Model Module NAME Name Node Not Number Order Output PORT Parse Path Point Position Process
Project Property Query Read Response Result Return Row Runtime SQL Server Set Settings Size Source Start
Status Stream TYPE Tag Target URL UUID Update Value Window abs acc actual adapter alias amount arg
argument arguments assign async attribute attributes avg begin binary bits blank bool boolean bounds
branch bucket buf bundle bytes callback cancel children chunk cluster cmd codec collection commands commit
compare configuration connection const contents convert correct cpu credentials csv ctx cursor dataset dc
dead delta dep dest destination dictionary diff dispatch done dx dynamic each edges endpoint entries enum
equal err eval exception exec exit expect expected exports factory fake ff filename filtered filters flag
flags fragment generate goal graph handle has heap hex identifier identity ids indices initial inputs
insert integer interval issue iterator join keys keyword labels listener lower lp make mapping matches
matrix mean metadata metric metrics minutes move named names namespace nodes notes notification objects
optional opts outputs parameter parameters parts paths payload permission pid pipe points pool previous
priority prompt prop proto protocol proxy push queue rank reason receiver regex remote reply repo
repository reverse rows samples saved scan schedule scope seconds seed segment sender sent separator
sequence serializer shape signal skill skip slice snapshot solution sorted split statement states stats
stdout strategy surface timer timestamp today tokens trace transaction trim txt uint unique updated
validate verbose wait where words writer
11112221: UTF
11112222: ACTION ALL CLIENT CODE CONNECT Callback Click Close Controller Count DELETE Do Enable Equals
Find First For Format From HTML HTTP Handle Handler Helper INVALID Info Init Insert Instance Interface
Invalid Items Last Load Manager Meta Metadata Mode NODE NONE NOT OK ONE OPEN OR OUT POST Params Per Pre
Record Remove Report Reset Run SERVER SIZE START Save Select Send Should Show Static Stop Surface Syntax
Template Timer Total UNKNOWN URI VALUE VERSION WARNING When Work Write abort absolute accept alloc allow
allowed annotations answers append apply are assignment attach available bad bias blocks cached calls
capture cells changed channels charset checked checkout choose claim cleanup clients clone closed codes
collect compile complete completed compute concat conditions connections connector constant constraint
constraints construct constructor contains creation crypto daily decode decoder defaults define deleted
dependencies destroy detect digest disconnect disk documents easy echo emit encode encoder encoding equals
escape every execute execution exist exists extend external extract fact fail failed failure finish
finished fix flush frames future gateway generic guard handlers hostname href initialize instances into
inventory iso keep languages layers lazy leave literal locations logged logic logs lookup magic measure
merge micro mix modified modify moves multi need notice numeric offer once operations ops override partial
partition patch pause pending people permissions pick pipeline positions prepare processor publish pull
raise redirect reduce refs registry reload remaining replace requests requires restart restore resume
retry rpc rules runner same scheme sell sep sessions sha shift shipping some sources spawn started
statistics steps structure sup tables take then threshold throw transport truth try union units until
variables variant verify virtual visibility visit walk warn when xyz yaml
11121122: MS fw hooks license linux
11121212: existing found letter piece that
11121222: BEGIN added based between budget charge cycle defined digit even four gap generation half hook
information known many meter needed negative owned picker positive quality resolution specific strength
suite supported terminal than three under unused way wire workers written
11122112: blob
11122122: LICENSE packages plain scripts usr
11122212: AST ERR PATH candidate chars decimal encoded epoch handles numbers pair scores sentence sr
strings unsigned using void
11122221: https utf
11122222: ADDRESS AND ANY ATTRIBUTE CACHE CALL CPU DEL DIR DIRECT ENV EXPORT FOR FROM FULL HEAD Impl KEEP
LEVEL LIST MB NOTE OPTIONS OTHER PATCH PER PRIVATE RATE RESOURCE RPC SERVICE SHA SPECIAL TCP THE THIS TLS
TRACE USE WARN WITH addresses again agents alarm alignment alive amp arrays attempt attention
authenticated backup basis bug busy bw campaign cases certificate changes checks checksum chunks
completion complex configs continue conversion counts ctor cycles dash depend dependency descriptor
difference digits distribution dns due duplicate duplicates else episode exact except extended far fault
fee formats formatter fraction gate given globals heads here hits hold hosts idle inside instruction ipv
iteration keywords letters levels limits listing lists manifest marks matching minor missing multiple
nested nf pairs pat pct perf phrase ping places ports possible prior probe processed processors pwd
queries quotes ranges rates ratio reads received recent registered regular removed reports requested
reserved returns revision runs sampling secure seen segments servers sets signed since sizes slots spaces
stride suffix taken terms threads tls tracking traits unicode unknown updates upgrade usage versions vs wc
without wrong
11211112: The
11211122: community look react twitter
11211212: Be Co It Pro await
11211222: Agent Allow An And Encoding Go Hand Headers Lo Mark One Or Part Regular Series Speed Step Tech
Term Up Version We but compose effects flight leading life minute performance production routing tech ten
third tight transparent yellow
11212112: Application Auth foo
11212122: apache aws compiler github includes javascript providers respond
11212211: False Math
11212212: Api Attribute Authentication Big Boolean Build Byte Bytes Cache Calendar Change Clone Collection
Column Configuration Connection Console Const Constant Convert Cursor Double Duration Enum Environment
Equal Expected Float Graph Hash Http Java Json Keys Language Location Logger Media Messages Mock Network
Note Of Operation Optional Parameter Parser Paths Properties Resource Resources Route Security Simple
Socket Some Stack Standard Storage Store Symbol This Token Tree UInt Uri World argv authentication dirname
jwt redis resolve stderr stdin strict undefined which
11212222: Absolute Access Actions After Annotation Any Args Argument Async At Attributes Background Bad
Basic Batch Bean Before Binding Body Bool Bounds Builder But CSS Can Cast Cells Certificate Child Chrome
Clock Cloud Columns Commands Compare Concurrent Condition Configure Connect Consumer Counter Decode Delay
Dependency Depth Description Deserialize Detail Dev Diagnostics Dir Direct Directory Disable Dispatch
Distance Does Drop Dynamic Edge Empty Enabled Encode Endpoint Engine Entry Events Exchange Exec Exit Exp
Experimental Export Extension Factory Fast Feature Features Fetch Fields Files Fixed Flags Forms Full
Generate Generated Getter Google Groups Has Health Help Hex High Host How Identity If Illegal Import
Include Information Initial Install Interval Invocation JWT Join Kind Lib Library Linear Linked Listen
Listener Loader Logging Look Low Make Many Mapping Match Maximum Memory Merge Modified Modules More Msg
Multi Must Na Named Namespace Native Next Non Now Null Objects Observer Offset Ok Once Option Options
Other Our Override PUT Package Pair Parameters Parent Pass Pattern Payload Pending Percent Permission
Please Plugin Pointer Policy Power Prepared Priority Progress Promise Protocol Provider Proxy Pull Push
Question Queue Range Raw React Reader Receive Ref Reference Reflection Regex Registry Release Replace
Reporting Repository Require Required Requires Resolve Results Root Round Rows Rule SDK Safe Scan Schema
Scope Score Script Second Secret Sequence Serialize Services Shape Share Shared Short Side Signal Single
Skip So Spec Special Split Starts Stored Strict Subject Subscription Success Sum Super Support Sync Take
Tests That Then There These They Throw Throws Timeout Timestamp Tool Tools Top Trace Transfer Transform
Transport Try Typed Types UTC Uint Unique Unknown Unsupported Url Use Utility Valid Validate Validation
Validator Values Variable Verify Views Visit Visual Warning What Where Width Windows Word Writer You Zero
abstract additional ask audit authenticate authorization azure belongs calculate camel catch ceil
challenge characters closest collections combine compress configure consume consumer cookies cool cwd deep
deploy describe deserialize did discord ends ensure enterprise exceptions exclude exe experimental figure
gb glob gmail grpc hardware hl inject inspect instructions instrument integration invoke just kill learn
likes listen listeners loads matcher maximum memo middleware mime minimum multipart must nano ones opens
ordinal organization parents pathname perform personal practice pretty prevent promise protobuf prototype
quick raises references reflect reject repositories responses retrieve rollback say schemas semantic
serialization serialize solve sqrt starts syntax tell them timeline utilities utility want was website
what workflow xr
11221122: how
11221212: let
11221222: AA Am Based Clause David English Hop License May Origin Za able alone around associated aware
away awesome being building built care changing coded coming commercial compatible contained controlled
covered critical derived development effective efficient eight ended ending era eslint ever exclusive
expanded filled five floating friendly gh going guide hard held hop human impact important inclusive
installed largest law linked listed lite looking made making million modern most neutral nine opening own
packed perfect purpose qualified quarter ranking reading rise risk rounded see stars taking tested through
too treated webpack wide working worth writing years your
11222122: About Linux Templates bash etc frontend graphql issues licenses npm operators repos software
wiki
11222212: Constructor Throwable always decoded express grammar mapped milliseconds moment parsed predicate
typeof visitor
11222222: AMD ARE ASCII AWS Abort Above Added Adding Additional Additionally Addresses Adds Admission
Advanced Age Ahead Alias Alive Allowed Already Also Alternative Always Analysis Andrew Answer Answers
Anything Anyway Apple Apps Arguments Assembly Authors Avg Avoid Aw Ax Ay BSD BUT Badge Because Below Ben
Benchmark Best Beyond Bits Blast Boom Both Bound Broken Browser Budget Bug Built Bw CLI CRC Called Caller
Calling Calls Candidate Case Catalog Cause Cf Chance Changed Changes Channels Characters Checks Cod Codes
Collector Colors Comments Community Compared Comparison Compatibility Compile Complete Compression Conduct
Connecting Connectivity Connector Consider Contents Continue Contributor Conversion Copyright Cost Counts
Credentials Critical Currently Cut Cuts DNS Defaults Define Defines Definitely Definition Depot Deprecated
Descriptor Destination Details Detection Developer Development Did Difference Digit Discord Disk
Distribution Docs Don Draft Drain Due Dw Dx Dz EA Each Effect Effects Electron Encoder Enough Entries
Episode Episodes Epoch Every Evidence Exact Example Examples Explain Explicit Exposure Express Extended
FAQ Fact Failed Failure Fault Finished Fix Fo Follow Formats Found Fran Fully Functions Further Fx GMT
Generator Gets Getting Git Github Given HTTPS Half Handling Healthy Held Hello Here Hi Hint History Hit
Hits Hook Hub Hw IMPORTANT INCLUDING IPv ISC ISO Idle Ii Impact Implementation Importance Important
Imports Improve Inbox Inc Includes Incoming Infinity Inside Installation Instead Instruction Integration
Interrupted Issue Iterable Its James Japan Jet John Josh Ju Just Keep Known LOSS Largest Learn Letter Like
Limit Limits Lines Loads Logs Looks Lower MIT Mac Manual Maps Marks Masks Matches Maybe Mean Meter Methods
Metric Metrics Microsoft Miner Missing Modification Most Ms Multiple NSA Names Nathan Near Neither Nested
Never Nobody Notes Nothing Ns Numbers OAuth Observation Old Older Only Operations Operators Optimal
Optimize Original Others Overflow Overview Ow Own Parents Parsed Parsing Parts Passing Pause Peer
Performance Pf Pick Picker Plain Points Polar Pool Portugu Positions Prefer Prefix Previous Problem
Processor Producer Prompt Proto Prototype Provide Provides Providing Published Purpose Pw Questions Quick
Quiet Quote README REST RFC Rabbit Radius Rate Ratio Reading Reads Ready Reason Received Records Recursive
Reject Remarks Removed Replacement Represent Requests Reserved Resolution Resolver Responses Restore Retry
Returns Review Robin Routes Rules Runner Running Runs Rust STRICT Safari Same Samples Scores Seal Seconds
Secrets Secure See Seen Segment Selector Sent Sentence Servers Serving Sets Setting Shares Shift Shows
Since Six Smart Snake Snapshot Software Something Sorted Span Sponsors Started Stats Stops Stores
Streaming Studio Summary Supported TTL TZ Tail Tcp Tenant Testing Thank Thanks Therefore Things Those
Threshold Through Timeline Times Tokens Too Tracker Two UND URLs Unary Unicode Union Unix Unless Unlike
Unsafe Updated Upgrade Upper Usage Used Useful Uses Using Utf Vocabulary Wanted Watch Weak Welcome Well
Whether Which While Who Whole Why Will Wire Within Without Words Worker Workers Works Wrapper Writable
Writes Writing Wrong Your aaa aad abc abe above absence acceptable accepted accessible acts actually adapt
adding addition adds advanced affected aggregation agree ahead ais alerts allocation allows along already
also alternative although among anonymous another ansi answered anything apart appear appearance
applications architecture aren ascending asia aside asin asked asking asks assemble assembler assembly
assigned assistant associate attached aud authority authors automatic availability avatars avoid bab babel
badge bare battery baz because been behind below bench benchmark better bf blast blocking boom both
bounded brace brief broken broker bugs bun burst cac caf caller calling came cannot canonical carry caught
cause cea cef certain chains chalk chance charts cheap checking chosen closing closure coding collector
colon combined come comes comma communications compact comparison compiled compressed compression computed
concept conditional configured confirmed connecting consider consistent constructed construction contain
contributors conversation converted copies copyright could coverage covers creates creating curl currently
cuts dad daemon dde dea deal decision declare defines definitions deny depending deployment deprecated
deps derive desired developer different discard discover distributed doctor does doing don downloads draft
drops during early ebb ebe ecc edition either embedded emoji entered episodes eras escaped escaping esm
especially evaluation excluded expects experience expired expiry explicit extends facts fails fall
fallback fallen falls fan fatal favor feel few finding fine firm fits folders forces forget fork formatted
fresh fully gave gets getter getting gi gist give giving gone got graphs great greater grep guards gzip
had handled handling hands harm hashed having healthy heard heartbeat hello helps higher holds identify
ignored immutable implement implementation implemented implements implicitly importance imports incident
included including incoming incorrect increase indexed individual infer inform inherit inherits
installation instead interpret iterate its jest keeping know koa lack lag late later lead leader least
ledger legacy lets lexer libraries licensed lie lies limitations limited lint little localhost located
logos looks loops lost lot lots lowest maintenance makes markdown marked masked matched matter may maybe
meaning means median meet mention merged might migration mind miner minimal mixed months mts much near
nearest necessarily necessary needle needs never newline nice nor notation nothing noticed nw occur offers
official often older omit onto opaque opened optimization optimized ordered ordering ordinary oss others
otherwise our ours outlined outside overall overflow overview overwrite owns paired panic paragraph passed
passes passing passwd past paused performed perhaps permit persons pieces placed please pod polar postgres
potential prefer preferred prepared prepend preset primitive principal printed prints produce producer
proper proposal protected provide provided publication published pure puts queued queues quiet quoted
raised ran rare rather reach readonly really recommend recommended refer reflection regexp released remain
replacement reported represent representation resolved resolver respect restrict restricted rests retain
returned reuse rights rk roots said scenario seal sealed searched selectors sending serialized serve
served severity shall shares shed shim ships silent simulation slash slow something specified spread
stable stand stands starting statuses stay stem still stored stores streams strong structured structures
stuff such sure svc systems takes tbody telling tenant terminate terminated texts thank thanks there these
they thing things think those though throws thus ties tiny toc tracked traffic trust trusted trying ttl
turned typed typically undef underscore unexpected unix unless unsafe unset unsupported upon usable uses
usual usually validated variance variation vary verb verbosity verification very vg via walking wanted
warm warnings ways weak welcome well went were whatever whether while who whole whose why will wish within
won works would wrapped writes xd yet yield
12122222: ALLOW QUEUE stdio
12212222: Enums Ordinal gnu mozilla
12222122: apis
12222222: AAAA Absent Affected Ascii Authenticator Cc Confirmed Counters Deps Deviation Digits Dirs
Dropped Dv Emitter Encoded Ended Endpoints Exceeded Exclude Exporter Exports FTA Fg Finite Fw GIN Grouped
Grpc Handlers Ids Indices Interceptor Kinds Listeners Matched Millis Milliseconds Newest Observed Opened
Opts Overlap Pct Processors Propagation Ranges Readable Readonly Repeated Resolved Reuse SSF Schemas
Sequences Shown Sockets Suffix TTY Texts Tls Tracer Tracing URIComponent Unavailable Unchecked Watcher aac
acf aea aec aed akia apikey bbc bea bfd callee ccc cdc cdn cee dfa eca eda edd eed eef efd endregion etag
fcc ffa ffc ffff foobar fz gte iana ietf imul lte orca otel paged servername slashes stackoverflow thead
tsx typescript umd utm
21112223: reporting
21121222: sensitive
21122222: batches candidates detection literals modes supply
21122223: KIND accessor customize sequences shapes specs
21122323: CONNECTION lengths overlap
21123322: requirement
21123323: latency
21123333: FAILURE SECURITY
21133323: probability
21212222: circular enums lifecycle microsoft naming wikipedia
21212223: concurrent discovery interceptor messaging preference stringify trailing transforms websocket
21212323: obtain optimize servlet streaming
21221222: demand fitting
21221223: described designed ranked readable separated
21221323: containing established independent labelled produced serving
21222122: releases
21222123: problems
21222212: CType
21222213: IService
21222222: Bun DAYS MCA MCP MIME Sends TORT Takes baf bey beyond bodies borders bypass caches caching
capped carries casing comparable comparing completely compliance compliant composite configurable
configurations configuring counted counters cumulative david detailed dictionaries differ documented
doubles dropped easier easily enables enabling endpoints enforce enough environments evidence failing
faster fence fenced fences fetched fewer finds follower follows frozen functionality funding furnished
further fury gaps gather gauge gives grows happen hides hops inbox increases inferred injection intended
invariant invisible isn japan killed kinds lifetime listening lives mappings mend migrate mined mismatch
moved nanos narrow newer newest newly nobody passwords pays picks pinned pushing ranks reached reaches
reasons reconnect recovered recovery rejected relevant rely relying repeated replaced replaces replay
resets resolves respective restarted resulting resumes retries reusable reused reveal reversed safety
saturated says scanned scans scoped scopes sends sick sides sight sits slogan sockets sponsor sponsors
substantial subtype succeed suitable sums synchronous tally tape tells tighter together told took torn
touched treat tuned vocabulary vscode vulnerability wants wider witness worry worse wrote xem yarn yields
21222223: Espa accessed accessing across additionally addressed advice anew anomaly appended applicable
applied applies arbitrary asynchronous asynchronously audience backwards become becomes began belong binds
blame bracket brackets builds carried chained challenges clocks closes conclude concurrency conflict
connectivity consecutive contribute contributing contributions conventions conversions converting converts
crash crashed crashes dear debugging declaration declarations depot describes descriptors detected
determined deviation disables disagree disclosure dispatched displayed distances distribute drain draining
durable durations editors emits emitted emitter exceed exceeded exceeds excess excludes executable
exemplar existence explain exponential exported exporter exporters exporting expose exposed exposes
exposure extending extremely filtering fixes goes granted grouped hashes helpful highly hundred
immediately implied implies imported importing improve improvements intercept keyed keyof larger leak
leaked leaves leaving malformed manually meant measured meets mocking modifying needing neighbours neither
nesting networks notable onset orphan outcome outgoing parses parsing performs platforms playground
policies populated preserve probes processes programming programs prompts proves proxies readers redact
referenced referencing referral refers reflected refusal refuse refused refuses regarding regardless
regression remains remedy removes removing requiring runaway sampled sealing secrets seems sees selects
separate several severe shaping shields shifts shorthand showing significance significant singles sketch
skipped skips slower spaced spans spared specifically specification specifies specify specifying stale
stamped statements stays stems stopped stops switched theirs thousand thousands threw thrown timed timing
tokenizer touches traced tracer traces tracing transferred transports tried triple truncated unaffected
unavailable universal unloaded unnecessary unreachable unread unusual upstream useful utilization verdict
verifier waits warns watched workflows worst
21222233: agreed directly discussions downstream incidents installing supporting weigh
21222322: formatting strangers stripped stripping
21222323: CONTRACT IDM JSX LIABLE Ranked abnormal aborted absolutely administration altered answering
anyone anyway anywhere arrive arrived arrives attacks beforehand bigint callers capabilities capability
collected combination compared compares compilation consist consists costs counterpart decide decided
decides deciding decimals declared decoding determine diagnostics engineer entire expressions forbidden
handbook handshake indicate indicates indicating indirect insensitive installs instanceof insufficient
itself knows lasts longer longest longs numbered numbering observation observed oldest optionally
originally overhead overload overloaded overridden overrides overwritten particular partitions pauses
peers percentile pooled portions positional precedence prefers prefixes printable recorded recording
relied relies retained retention returning risen serves settle shorten shorter smaller successes
successfully turns validates validating valign various visibly wasm
21222333: Finds affect assume assumed assumes behave breaks caused causes causing considered correspond
corrupt crossed engines fastest folded followed forwarded generates generating guidelines guides huge
identical identifiers identifies ingest integrity keeps kept learns marketplace merging nearer operating
switches tenants unspecified whenever whichever whitespace wholes whom wraps
21223222: randomness
21223223: APIs assertion assertions databases
21223313: serializers
21223323: EXPRESS IMPLIED Remedy Removes absent cancelled commits convex correctly differs figures flagged
graphite hexadecimal histogram initialization intervals invocation invoked locally lowercase matters
namespaces origins previously protocols receivers receives receiving replica represents sentences simply
structural symptom waited
21223333: ARISING AUTHORS NONINFRINGEMENT PSI SHALL SOFTWARE accepting accepts allowing badges behaves
behaviour collective constructors destroyed echoed everywhere failures guarded guessing needles ruled
somebody somewhere spawned supplied thresholds throwing twentieth twice typical typings typo violation
walked walks
21231323: consuming
21232323: consumed consumers mutated
21232333: balancing effort equally equivalent halves occurrences occurs surrogate underlying understand
understands
21233333: COPYRIGHT INDIRECT LIMITED NEGLIGENCE OTHERWISE PURPOSE SERVICES WHETHER attempting attempts
declares declaring declined elsewhere exactly farther faults hereby intrinsic limitation semantics
wrapping
21322233: looked
21322323: Implements
21322333: Contributors Converts biome
21323232: scenarios
21323323: Builds strictly
21323333: compatibility deepest enumerable externally globally harmless instrumentation omitted performant
rejects robust telemetry
21331333: yourself
21332333: Indicates Parses earlier earliest forged investigate investigation literally maintain maintained
renamed sixteen speaks talks throughput
21333233: copied
21333333: CLAIM Collective DAMAGES Differences Discussions Duplex Economy FITNESS Gathering Keeps Kraken
LIABILITY Polski Silence Verdict aims alongside ambiguous appears approach automated automatically
avoiding bearer became benchmarking benchmarks besides bundled bundles chooses clauses closely continues
densely determines diagnose diagnosis differences doesn economies economy ecosystem ensures ensuring
escapes evaluated explained explains explicitly garbage gauges implementations implementing incorrectly
integers internally invented judged mechanism mistake obtaining occurred potentially pretend primarily
propagate propagation properly provides providing purposes replicas representing respectively responsible
restrictions silence silently situations splitting standalone standards strongest suspect therefore
towards trailers unauthorized unchanged untouched vacuum whoever widely wildcard
22122222: BIND
22122223: FATAL
22122323: INFINITY
22133333: BYTES
22212222: Cursors
22222222: AOC Aej Aoq Bz Callee Coded Dfh Dg Luhn Lweg Punctuation Puts Pz Tally Ties Triage Tt Worry aiza
cursors deltas mcp queryable restarts rfc subarray xox zod zstd
22222223: AUg EZD Fewer Folds Fz Gaps HQo Hmac Htr Ingest Jd OIC Otel Ovc QGew QNA Reversed Sampled Uwn Yd
Zl Zod Zp Zx Zz authenticator backpressure decompression glpat millisecond onsets retrying senders
uncompressed unrecognized untrusted unwell windowed
22222233: generalise orphans
22222323: DEAw EAk Onset Slower abprs columnar fetches loopback lossless posu prefixed slowest smhd
stacktrace varint
22222333: AAgg AAw AAx Compares Traces healthcheck healths presences rollup rollups unsaid
22223223: Formed Postgres
22223323: Callers JSONSchema UUIDs deadlock encodes evicted ffw llm queueing
22223333: AAAAA ACg Counted POSITIVE allocatable bidirectional microsecond nanoseconds otlp quantile
quantiles
22232333: ASIA halving underflow
22233323: decoders ordinals
22233333: ABAp AXj DLz NEGATIVE OTLP triage
22322223: Stands
22322323: Itself
22322333: Adp Closes Decided Deciding Orphan Sealed Spans Weigh
22323333: Exclusion Exemplar Exponential Healths Ifg Refusal Refused Resolves Rollup Rollups Scanned
UTCDate lexicon
22332333: AAACA Alarms Anomaly eyj gho ghp ghs ghu
22333323: segfault
22333333: AAAACA AAAAD AAAADA AAAAw AAAIC AKIA AQAA Circles EFz EPSILON Folded HXK Halves Insufficient
Likely Nanoseconds Oldest Overloaded Pauses QEAg Quantile Recognises Rejects Ruled Rxg Sixteen Strongest
Summaries aggregations apostrophe callees checksummed emptiness fewest leaner narrows temporality xdfff
23333333: AAAAAA AAAAAAA AAAAAAAAAA AAAAAAAAAAD AAAAAAAAAAP AAAAAQ AAAAAg AAAAAw AADw RYUg otelcontext
xffffffffn
31222224: punctuation
31333333: BASIS WARRANTIES WARRANTY browsers busiest completes differently dynamically gathering happened
happens repeats resolving safely satisfies satisfy sponsorship sublicense subsequent succeeds suffers
worrying
31333334: HOLDERS anomalies convenience convenient deterministic deviations disregard exclusively
exhausted exposures governing gracefully interoperability philosophy practices prettier separately
separators significantly themselves
31333434: CONDITIONS CONSEQUENTIAL DEALINGS concerned entirely overriding
31333444: corresponding corresponds guaranteed guarantees negotiation
31334434: PROFITS PROVIDED convincing encountered
31334444: innocent
31344444: PARTICULAR acknowledged
31443444: investigations
32333333: BFSR inconclusive kubelet summarise tallies
32333334: arcsine deviated exemplars refusals severities throttled unexplained unreadable
32333434: monotonic
32333444: Deviations
32334434: convincingly
32334444: superseded
32434444: Exemplars
33333333: AIOY PAAAAAAAAAAD PAAAAAP TQAA jothg
33333334: EAAAAAAAAAw EACCES Gpvff HAAAAAAAAAAD Hfffw Inconclusive coarsely coarser exfiltrate
33333434: MAAACA MAWSvi
33333444: booleans
33334444: AAAAAAAAAAJ AAAAAAAAAAMD DAAAAAB Deterministic ENOTFOUND LOAxu Underscore
33344444: CAIAAAAA CONSUMER
33434444: Emptiness
33443444: AAABw AAAMLF Anomalies
33444444: AAAAAPD AAAAAPj AAAAAPz AAAADg AAAADw AQAAAAAAAAAA BSAAw Djvgcw Superseded unauthenticated
34444444: AAAAAAAAAAAAD AAAAAAAAAAAID AAAAAAAAAADg AAAAAAAAAAOD AAAAAAAAAAPD AAAAAAAAAAPj AAAAAAAAAAPz
AAAAAAAACA AAAAAAAAg AADgfw BQAAAAD DAAAAAAAAAID
41444545: CONTRIBUTORS
41455555: acknowledgement
44444445: EAAAAAAAAAAADA EADDRINUSE KAYQf OIRQwgg YAAAAAfv opentelemetry
44444545: MAAAAAAAAAAACA
44445555: DSKAAAAAMB
44555555: AACAAAOll AQAAAAAAAADA VPQDZAho
45555555: AAAAAAAAAAAADw
`

/** Tokens of a word alone, and behind a prefix by its character code. */
export interface WordCost {
  readonly alone: number
  readonly behind: ReadonlyMap<number, number>
}

function gather(): ReadonlyMap<string, WordCost> {
  const known = new Map<string, WordCost>()
  let cost: WordCost = { alone: 0, behind: new Map() }
  for (const part of wordsByCost.trim().split(/\s+/)) {
    if (part.endsWith(':')) {
      const [alone = 0, ...behind] = [...part.slice(0, -1)].map(Number)
      cost = { alone, behind: new Map(behind.map((tokens, at) => [costPrefixes.charCodeAt(at), tokens])) }
    } else known.set(part, cost)
  }
  return known
}

export const knownWords: ReadonlyMap<string, WordCost> = gather()

/** Runs of punctuation that JSON and telemetry are full of, by the number of tokens they are. */
export const knownRuns: ReadonlyMap<string, number> = new Map(
  [
    [
      1,
      [
        '"", "," ",""," ",[ ":" ":""," ":[ ":[" ":[] ":{" "], "]] "}, "},{" "}} (), (). )," ,-- .", ."," ... ..."',
        String.raw`/", :// [...] \", \",\" \": \":\" ]," ],[ ]], ]}, {\" }," },{" }], }},`,
      ].join(' '),
    ] as const,
    [
      2,
      [
        '""," "",[ "",[" "",{" ""], ""]," ""],[ ""]] ""}, ""}," ""},{" ""}}, ","" ",""] ",[" ",[[" ",{" "-" "/"',
        '":"" ":"","" ":, ":- ":[[ ":[[" ":[]," ":[]} ":[{" ":{} "<*> "]," "],"" "],[ "],[" "],[[ "],{" "]], "]],"',
        '"]],[ "]]], "]]],[ "]]}, "]]},{" "]} "]}, "]}," "]},{" "]}}, "}," "},[ "},[" "}] "}], "}]," "}],[ "}]},',
        '"}}, "}}," "}},{" "}}} "}}}, "}}}," "}}},{" %," )."," ,"" ,""] ,[" ,[[" ,{" .","" .," ...," .<*> /:" /<*>',
        String.raw`/{} <*> =<*> ["" ["", [""," [[" \"} ],"" ],[" ],[[ ],[[" ],[{" ],{" ]]," ]],"" ]],[ ]],[" ]],[[ ]],{" ]]],`,
        ']]]," ]]],[ ]]]}, ]]]},{" ]]} ]]}, ]]}," ]]},{" ]]}} ]]}}, ]}," ]},[ ]},[" ]},{" ]}} ]}}, ]}},{" {"} },""',
        '},[ },[" }]," }],"" }],[ }],[" }],[[ }],{" }]}, }]},{" }}," }},[ }},[" }},{" }}}, }}}," }}},{"',
      ].join(' '),
    ] as const,
    [
      3,
      [
        '"","" "","","" "",[[" ""],"" ""],[" ""],[[ ""],[[" ""],[{" ""],{" ""]]," ""]]}, ""]]},{" ""]}, ""]},"',
        '""]},{" ""},"" ""},[ ""},[" ""}}," ""}},[ ""}},[" ""}},{" ",""],[ ",""],[" ",""]]}, ",[]," ":{}," "],""],[',
        '"],["" "],[[" "],[[[" "],[{" "]],"" "]],[" "]],[[ "]],[[" "]],[{" "]],{" "]]]," "]]],"" "]]],[" "]]],[[',
        '"]]],[[" "]]],[{" "]]],{" "]]]]}, "]]]}, "]]]}," "]]]},{" "]]}," "]]},[ "]]},[" "]]}}, "]]}}," "]]}},{"',
        '"]},"" "]},[ "]},[" "]}]," "]}}," "]}},[ "]}},[" "]}},{" "},"" "},[[" "}],"" "}],[" "}],[[ "}],[[" "}],[{"',
        '"}],{" "}]]}, "}]]}," "}]]},{" "}]}," "}]},[ "}]},[" "}]},{" "}},"" "}},[ "}},[" "}}},"" "}}},[ "}}},["',
        '(<*>) ,""],[" <*>, <*>/ <*>: ],["" ],[[[" ]],["" ]],[[" ]],[[[" ]],[{" ]]],"" ]]],[" ]]],[[ ]]],[["',
        ']]],[{" ]]],{" ]]]]}, ]]]]}," ]]]]},{" ]]]}," ]]]},[ ]]]},[" ]]},"" ]]},[ ]]},[" ]]}}," ]]}},[ ]]}},["',
        ']]}},{" ]},"" ]},[[" ]}}," ]}},[ ]}},[" },[[" }],["" }],[[" }],[[[" }],[{" }]]}, }]]}," }]]},{" }]},"',
        '}]},[ }]},[" }},"" }},[[" }}},"" }}},[ }}},["',
      ].join(' '),
    ] as const,
    [
      4,
      [
        '""],["" ""],[[[" ""]]}," ""]]},[ ""]]},[" ""]},"" ""]},[ ""]},[" ""},[[" ""}},"" ""}},[[" "],""]]} "]],[""',
        '"]],[[[" "]]],["" "]]]]}," "]]]]},[ "]]]},"" "]]]},[ "]]]},[" "]]},"" "]]},[[" "]]}},"" "]]}},[ "]]}},["',
        '"]},[[" "]}},"" "]}},[[" "}],["" "}],[[[" "}]]},"" "}]]},[ "}]]},[" "}]},"" "}]},[[" "}},[[" "}}},[["',
        ',""]]}," ,""]]}}, ]]],["" ]]],[[[" ]]]]},"" ]]]]},[ ]]]]},[" ]]]},"" ]]]},[[" ]]},[[" ]]}},"" ]]}},[["',
        ']}},"" ]}},[[" }]]},"" }]]},[ }]]},[" }]},"" }]},[[" }}},[["',
      ].join(' '),
    ] as const,
    [5, ['""]]},"" ""]},[[" }]]},[["'].join(' ')] as const,
  ].flatMap(([tokens, runs]) => runs.split(' ').map(run => [run, tokens] as const)),
)

/** Which of the 95 x 95 pairs of printable ASCII characters are one token: bit `first * 95 + second`. */
const pairBits: Uint8Array = Buffer.from(
  [
    '//8A/P////////9/w3sAUgAAABwAAACA/z8At+9+Ju5EAkLOAxuAAAAAAEEQBBABEQ1AACAAAOll/5UwnQNA+QEAgOIRQwggTQAA',
    '+I52AoqIfgJ4/wH4deZx8O3nf1/+7wCc////3////1//fwB+AAgg/B/xrJ3VPQDZAhoGpvff/4FzH4DEAwAAx+Ovc+D/D0Dx////',
    '7f///6C/BwDz////9P////j/A/D+////////f/n/Aej//////f//nwAA/wMAAAAAAAAAAACA/wEAAAAAAAAAAADA/wAAAAAAAAAA',
    'AADgfwAAAAAAAAAAAADwPwAAAAAAAAAAAAD4HwAAAAAAAAAAAAD8DwAAAAAAAAAAAAD+BwAAAAAAAAAAAAD/AwAAAAAAAAAAAID/',
    'AQAAAAAAAAAA/z8A7f9dx/7///+Dfh8AAwAAAMLF/2OkHQoA7///n+g0lp/wLweg/4DLzPz//3/x3wPw/+hl9FwAIOY85wGoAQAA',
    'MAWSviEUAQAEAQAAGIBgCAIAAAAA////A////gMAAACA////ge9/7wAAAADA////wH++bwAAAADg//9/4HfffwAAAADw3/8/8P/7',
    'OwAAAAD47/cP+Or3DgAAAAD89/sHXK57BQAAAAD+//8HtrL9BwAAAAD///8Cf//vAwAAAIC/fz+AyDSKAAAAAMB/v1/Adp5fAAAA',
    'AOC/3z/gb58nAAAAAPD//x/w//8/AAAAAPj/9x/4/vYdAAAAAPz/+we4//sPAAAAAP7//wP++/wDAAAAAB+5PwBFSR4AAAAAgP//',
    '/4D//P4AAAAAwP///8Dv/98AAAAA4P/ff+C32z4AAAAA8P/rP/De6z4AAAAA+O/3B6jothgAAAAA/Pf7B2QGewYAAAAAfvJdBzIi',
    'OQAAAAAAXfzeAxFxFgAAAACA/Djvgcw5OIC3FoDg369r/////0EZD0ABApKAYQfEFzD/B+AHAADABwAAwAGMAQAAAABgAQAAIGjv',
    'AXj8/////f//PwBSAAwAAAAwAQAYIAAAAAAAAAAA////AwAAAAAAAACA/3//AQAAAAAAAADA////AAAAAAAAAADg//9/AAAAAAAA',
    'AADw//8/AAAAAAAAAAD4//8fAAAAAAAAAAD87/sPAAAAAAAAAAD+//8HAAAAAAAAAAD///8DAAAAAAAAAID//+8AAAAAAAAAAMD/',
    'v38AAAAAAAAAAOD/338AAAAAAAAAAPD//z8AAAAAAAAAAPj/9x8AAAAAAAAAAPz//w8AAAAAAAAAAP7//wcAAAAAAAAAAJ/53wEA',
    'AAAAAAAAgP/+/wEAAAAAAAAAwP///wAAAAAAAAAA4P/ffwAAAAAAAAAA8P//PwAAAAAAAAAA+P//HwAAAAAAAAAA/P/7BwAAAAAA',
    'AAAAfvM9BwAAAAAAAAAA///+AwAAAAAAAACA/37vgRYUgCAAAAACQBEhRxgCAAAAAAABAAAAsd8H4A8AAMANAEDAAcACgAAAAAAA',
    'AAAAAQ==',
  ].join(''),
  'base64',
)

/** Whether the two printable ASCII characters (as codes) together are one token. */
export function isPair(first: number, second: number): boolean {
  const bit = (first - 32) * 95 + (second - 32)
  return (((pairBits[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1
}

/** First characters of the triples below; the other two are lower-case letters. */
const tripleStarts = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ _./-"'

/** Which of those triples are one token: bit `(first * 26 + second) * 26 + third`. */
const tripleBits: Uint8Array = Buffer.from(
  [
    'HSgPfCZ51dvk8eeW7w0ABOwE+Lad51FAmkWYeA5EjHlQWebVX3fHm/kc9d9xDQAAQGSzRwAAEPz1e9zdz3Fkl8fvn+5EhVn01GfX',
    'RBBhGWEURQZB/M3nsQUAEQQAACAAAPD/4yYCAAAAAABEAADwpeYwAAAAAAAARBRJBAAIgAAAAEt+3gEAEAAAAEAEEAQIAAgQgACA',
    'xuMQAAAAAAAAAAAAAAXCAAAAAC78DxAAAPAQBAAJiAA/vz6AAQAAEABAVJtXGekeBAQAEBHEUEyBAQqABACAIJCB6w8IIEQAAABU',
    'RCEEAGBCBLIhErwOAAAAgAAAAAAAAAACAAAAAPTn/xIxEgAEAABsJBD09+9uAAABEAAABAAA8EfvAgQAAAAAAAQhABAAAEBAAAFO',
    '/V4ABAAAAABABBBIACgIAAABcMHpCQIAAAAAAAAAAAAAIwBEAAAIMIpMBEnUGcZhThBHOLgG5ARwkJXGEQCAAEgoCgAAABDZxMXu',
    'P0cb8R113/EMAABAQBBBAAAQfPX7XFnNcWWSxwAAhkQAIBAARkEFMAIZYQQAAADwgvMqAAAABAAAQAAQ8JHmRE8AAwAAAAAAAPDE',
    '5wgAAAAAAABgAGEEAIAAQAAASGiOAAAQAAAAQEQUAACRCEQEEgSAYwAAAAAAAAAAAAAAACIAAAAAm/g+RwBAQAAAAAAAAPv8bgMA',
    'ABIxAFBAAAJ5aD4EAAAAAAAARAREAAAIRABAgIDnBgAABQAAAEQAQwQAgQAEAQAROQ4AAAAQAAAAAAAAABkAAgAA8N7vNwAAAACA',
    'AAAgCLD37z8AAAAAAAAAAgDwwPsAAAAAAAAARAQgEAEAQAQAAn/9fgIAAgAAAEAEAAMAAAhEBGGw1OMAAAAAAQAAAAAAgAAoBAAA',
    'AJ7/P04meVTZxHFulufuv/7GJHmUnecRRAIECCEs5LRzENnkVXYXR9vRHPWf996k80tlsk8AABB0dX/02c1xdJbHALgERAR5FAEA',
    'QEQQABFBAEVGSfzY4z4AAAAAAABAEADg5eMjAAAAAAAAAAAAkEnjAAAAAAAAAAAAAAAACEBEEAASMhYBAQAAAAAAAAAAAICAQAAA',
    'oMTjAAAAAAAACAAAAAAAAAAAAACLux4jAAAAAAAAAAAAmbsuAwAAAABAAAAAAJm5DkQAABABAEAEAAQAAARAAACw7O8nAAAAAAAA',
    'RAAAEBCAQEyABAO+HgAAABAAAAAAAAAAIAgAAADg3vsXAAIBCAAATAQ49P/vPgAAABAAAEQAEfBv/3NEAAQAAABkJGEAAAAAEAAA',
    '//7+AAAAAAAAAAAAAhEJiMAQGHDE4woAAgABAAAAAAAQRMIAAAAA7f+PBwAAAAAAgEACANk9jgMAAAAAIAAAAADdLI4CAAAAAABA',
    'AAAkEREAAAAgoMTnImCCAAAAAAAAEFAEgAAAIAEIOY4TAAAAAAAAAAAAAIAEAgAAsP/7cgCAAAAAAEQkGfD/9zcAAAARQZIAAADQ',
    '+e9DRBAEAAAAAAAAAAAAAAQAAOy/fhBIAAAAAAAAAAAABAhEJlCkgOMAAAAAAAAAAAAAEBGBAAAAAAgkBEwueVTZ5PFmMMUAJASk',
    'BHAUnWZRQApECCgORIRBEFHkRd4XT5PxHHWdcYzkv0BtskcAAAD89Xtc2c1RZLJHfr3uRoRRFJFGUEQQQBFBFECAANTU+xUAAAGC',
    'EQyAAAHQ1fs6AAIAAAAARAQL1MXuCAAAAEAACEQkMQQAAgAQAABIv89GRHEEAABARhADBAEIRwYZJIDiAAAAAAgAAAAAAAAAAAAA',
    'AAACOA4AAAAAAABAAAAAAAAAAAAAAAAAAAAAAAggAQAAAAAAAABAAAAACAAAAAAAAAAAAAAAAQAQAAAgBAAAAAAAQhFBBAAAAAAA',
    'AAAAAAAAAAAAAADw//8/AAAAgAAAgAAA8P//PwAAAAIAAAAAEfD37zsAAAAAAAAAAAAAAABAFgAA/v//E0AAAAAAAAAAAAGADBAg',
    'AKBeyyAAAAAAAAAAAACAwsMEAAAACrwuAQAAEAkoAAABAP/9rwEAAAAQAEBEkARfuI4CAAAwESRRBAAEAAAEIAAQcIMHcU6SQAAY',
    'ABAAgNDayEBmlV0CsA4QgQIAAAAAAAAAADAEAgAAMPbrGQACAACAAAQAANT16yoAAAAACABEBFnU1esABAAAAAAAQAAQAIAIAAAA',
    'AH3/3wEiAAAAAEBEE2UBBYBFJFIEACMAAAAAAEAAAIAgAABJBAAAAMM+D0wmWVTZ5GFmMMUKPQ7GBHDwndZBRAoEWygeRARBEFnE',
    'UV43Rxv5HHWdcwwgwkBmskcAAADs9Xv8WexxbZTHCDAeRARBkQEAQAQAABFBEEQEQdj57wAAAAAAAAAAAADA/eMxAAAAAAgAAAAA',
    '0M3vIgAAAAAAAAAAAQAAAAAAAABMO5cDgAAAAAAABhACAIAAABAAAAFjAAAAAAEAAAAAAABAAAAAAADLvb4BAAAACABAAAAA2j0O',
    'AwAAAAAAAAAQQF0uDgIAAAAAAAAAAAAAAAAgAQAAiCYEAAABAAAAABAAAAAAIAAAAAAAAgAAAAAAAAQAAAAIKAYAAADwAwDADwAA',
    'PwAA/AAA8INgwA8AAAAAAAAACFAAwwIAAAAAAAAAABAAgAAAAAAAACACAAAAAAAAAAAAAAAAAAQAAQQAAAAAAAAAAAAAAAACAAAg',
    'AAAAhT1OAQAAAIgAIEIAABgsLgIAAAAAABAAAAAAIQAAAAAAgABABAJAEFEAdYRhBABiAQQAQAAAAEAEEBRVgXBgEEYAMAAAAAAA',
    'AAAAAAAAAAAAAQAAwMzvAAAAAAEAAAIAAND16yQAAAAAAAAABAAQ5+8RAAAAAUEAAQAAAAAAQEQAQAAoFgAAAAAAAAAAAAAAAABE',
    'AAAgxuEAAAAAEQAAAAAAQEQDQAAQgAAgAAgEGEDJgEDGhAkAAAKAAAgABSQAAAAACBACAAAAAACEgVQCAwOACDWHMQQAAEBAoAAA',
    'ABBU0ShESMlAYIMCaACOQAEAAABAAAAAAAEAAAAAAKDM5jAAAAAAAAAAAACA3eMkAAAAAAAAAAAAoKTmIAAAAAAAAEAQQQAACAAA',
    'AABDON4BAAAAAABABBBEAAAAAIAAgMbgEAAAAAAAAAAAAAABAAAAAAAKuA4AAAAAAAAAAAAACIgOAAEAAAAAQESRBAggCgAAAAAA',
    'AEBEgQEIgAQAACCghesXCCAEAAAARARBBABAAgCCIBKQDgAAAAAAAAAAAAAAAAAAAACExOcSEAAAAAAAAAAA4MbrCgAAAAAAAAAA',
    'ANCH6wIAAAAAAAAAIQAAAAAAAAABXjxeAAAAAAAAAAAQSAAICAAgASABaAAAAAAAAAAAAAAAAAIAAAAAAAAKAAAAAAAEAAAABAAg',
    'AIAAAAAEAAAAAABAIAAAAAAAAEBADAYDAoAAMAOwAAAAAAAAAAAAEAQACEBBzEBgAAAAAAAEACAAAAAABSACEAAAAAAAYICzCgAA',
    'AAAgAAAAAKCBIwQAAAAAAAAAAAAghOMIAAAAAAAAIAEBBACAAAAAAUBpigAAAAAAAEBEBAAAAAAAAAAAgQIAAAAAAAAAAAAAAAAA',
    'AAAAAAK4BgMAAAAAAAAAAAA6eE4CAAAAAAAAAAAAYSgKAAAAAAAAAEAAAAAAAAAAAKCAgAIAAAUAAABEAEMAAAAAAAEACCEIAQAA',
    'AAAAAAAAAAAQAAAAAKDQ4zAAAAAAAAAAAAggsKMYAAAAAAAAAAAAAKDKAAAAAAAAAAAAAAAAAQAAAAAVuV4BAAAAAAAAAAAAAAAA',
    'AAAAoAEjQAAAAAAAAAAAAIAACAAAAAAAMAAAAAAACQAARAAhAAAAEAAAAAACAASAAAAAAAAAAAAQAAAAAgFQkAC0lbIAAEIAAAAJ',
    'AAAAAAAAEBDEAACQAQAAAAAAAAAAAAAAAAAAQAAAAABARCsUAAAAAAAAAAAAgAziBAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAA',
    'AAAA0iAEBQAAAAAAAAAAAAAAAAAAAICEIgAABAAAAAgAAAAAAAAAAAAACrsOAwAAAAAAAAAAABA4LgEAAAAAAAAAEAAIOAoAAAAA',
    'AAAAAAAAAAAAAAAAgIDjAAAAAAAAAAAAAAAAAAAAAAACqQoAAAAQAAAAAAAAAAAAAAAAIETrFgACAAAAAAAAAKBVxh4AAAAAAAAA',
    'AABgxcsiAAAAAAAAAAAAAAAAABAAAEQsfgAAAAAAAAAAAAAAAAggAABwAAEIAAIAAAAAAAAAAAAAAAAAANy/jgMAAAAAAAAAAABY',
    'OJ4AAAAQACAAAAAATKiOAAAAAAAAAAAAABAAAAABAKCY4yIAAAAAAAAAABAABAAAAAAAiC2OEQAAAAAAAAAAAAAAAAAAAADs7yIA',
    'gAAAAAAAAABghY8HAAAAAUAQAAAAYMWAAAAAAAAAAAAAAAAAAAAAAABAMH4QAAAAAAAAAAAAAAAAAAIAAACjAAAAAAAAAAAAAAAA',
    'AAAAAAAABAAACDBACIAAAgAAAAAAgAAAAAAAAAAAAAgIAAAAAAAAAAEGAAAAAARgADAAQAAAASADAAAAbEUgQAAAAAAgAgABCgAA',
    'AAAAAgAAAAAAAAAAAADA1OsQAAAAAAAIgAAAoITrAAAAAAAAAAAEA8SF4ggAAABAAAhEAAAAAAAAAAAACL1eAgAAAAAAQEQQAAAB',
    'AAAAGCCAogAAAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    'AAAAAAAAAAQAAAACAEARAQAAAAAAAAAAAAAAAAAAAAAAoOiLNAAAAAAAAAAAAMCG2yIAAAACAAAAAADABEwAAAAAAAAAAAAAAAAA',
    'AAIAAAo4XBMAIAAAAAAAAAAAgAAQAAAwAcMAAAAAAAAAAAAAAAAAAAAAAG65egEAAAAYJAAAAQBf/J8AAAAAAABARJAAWLiOAAAA',
    'AAAAEQgAAAAABEAAAGCAI1FEkkAACBAQBIAAgABABpBEX7gGUgEAAAEAAAAAAAA4BAAAAGDc6wkAAgAAgAAAAADQwOMIAAAAAAAA',
    'RARJgMGLAAAAAAAAAAAAEAAACAAAAAAY/FoBIAAAAABARBBAAAAAAAAAIIHjAAAAABBAAACAIAAACAAAAAAAAAAAAAAAAAAAACAA',
    'AAAAAAAAAAAAAAAAAAgACAAAAAAAAAEAAAIDAABkBTEAAAAAAgABAAAAACUAoAEkAQkAAAAAAAAAEAAAAAAAAAAAABAAAADA0KIA',
    'AAAAAAAAAAAAwIyiAAAAAAAAAAAAANCB6iIAAAAAAAAAAAAAAAAAAAAADDgWEYAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAA',
    'AAAAAAAAACiOAQAAAAAAAAAAAAoJCgAAAAAAAAAAEEAYKgYAAAAAAAAAAAAAAAAAIAAAAAAGBAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAAAAAAIAAAAAAAAAAAAAAAAAAAAAAAAAA',
    'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAkQAAAAAAAAAAAAAAAgA4AAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAgEA',
    'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABACAAAAAAAAAAAAAAAAAIAAAAAAAAAAAAAAAEIAAAAAAAAAAAAAAAA',
    'AAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAABhAAAAAAAAAAAAAAAAAAAAAAD///////v/////////////////97/v//+///////98',
    'f/X97/f/v3////////////////9/F9Ff/Pf///////////+////3+//f7/1Pvm/9+V5v/9vvluuOF7pTv/0u/OR7w4D7ih+rNxXI',
    'GmAEKuGD7woAAAEQIEBspLvwgcnTH7wLLqQO/Hc7BwAAwR+WN7/9b/tCu8eQy0JAFQGUgAYAACAEAAAAAAAAbr3+fqU79M/v+t+1',
    'f164v/zkO3KH5CM0p1c++C5gABIACeLkRrNKH/28faF56MLrwnW3QwEAGfxi8fLfz/QttXsvvQxExAEACUgIAIBiAAAABRIAyIRr',
    'ABSCQIBYEmgACUCAQ0gAghEQSAJAAAjAAE8AAAABQBAARAUAgIFNEBQQASCgFgAmCAAAAAEEAACUrEgAAgkAEEoAAAAAEIAEAAAA',
    'AAAAAAAAAO+/fkUlGRSZJsFGkARaPM5FJCgRiSRBRBAAOLgORAAQEIEGQVQYADlRBEUFASBOakEkkgAAABBEBAFQ2Y9FZJANAKkM',
    'RAAAEAkAAAACAQAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAgABGAAAAAAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAA',
    'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  ].join(''),
  'base64',
)

const startIndex: Int8Array = Int8Array.from({ length: 128 }, (_, code) =>
  tripleStarts.indexOf(String.fromCharCode(code)),
)

/** Whether the three characters (as codes) are known to be one token together. */
export function isTriple(first: number, second: number, third: number): boolean {
  const start = first < 128 ? (startIndex[first] ?? -1) : -1
  if (start < 0 || second < 97 || second > 122 || third < 97 || third > 122) return false
  const bit = (start * 26 + (second - 97)) * 26 + (third - 97)
  return (((tripleBits[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1
}
