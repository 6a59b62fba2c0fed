/**
 * What is known of the o200k vocabulary: enough to bound the length of telemetry and of our own answers in
 * tokens, without a tokenizer at run time (which costs 178 ms and 87 MB). The tests hold every entry against
 * a real tokenizer.
 */

/**
 * Words by what they cost: four digits for the word alone, after a space, after an underscore and after a full
 * stop. After any other character a word costs at most one more than alone.
 */
const wordsByCost: Readonly<Record<string, string>> = {
  '1111': `
ACTION ALL API APP Action Add Address All App Array As Base Block Buffer By CLIENT CODE CONNECT Call
Callback Cell Channel Check Class Click Client Close Code Color Command Common Config Content Context
Control Controller Core Count Create Current Custom DATA DEBUG DEFAULT DELETE Data Date De Debug Default
Display Do END ERROR EVENT Enable End Equals Error Event Exception FILE Field File Filter Find First For
Form Format Frame From Function GET Generic Get Global Group HTML HTTP Handle Handler Header Helper INFO
INVALID Id In Index Info Init Input Insert Instance Int Integer Interface Internal Invalid Is Items JSON
KEY Key LOG Label Last Length Level Line Link List Load Local Log Long MAX Main Map Max Message Meta
Metadata Method Min Mode Model Module NAME NODE NONE NOT NULL Name New No Node None Not Number OK ONE OPEN
OR OUT Object On Open Order Out Output PORT POST Params Parse Path Per Point Port Position Post Pre
Process Project Property Public Query Read Record Reg Register Remove Report Request Response Result
Return Row Run Runtime SERVER SIZE SQL START Save Search Select Send Server Service Set Settings Should
Show Size Source Start State Static Status Stop Stream String Sub Surface Syntax System TYPE Table Tag
Target Template Test Text Time Timer To Total Type UNKNOWN URI URL UTF UUID Update User VALUE VERSION
Value View WARNING Web When Window With Work Write abort about abs absolute acc accept access account act
action actions active actual adapter add address admin after age agent ai alert alias align all alloc
allow allowed alpha alt am amount an analysis and angle annotations answer answers any api app append
application apply apps are arg args argument arguments arr array arrow as assert assets assign assignment
async at attach attribute attributes audio auth author auto available avatar average avg back backend bad
banner bar base basic batch be before begin best bias big bin binary bind binding bit bits black blank
block blocks blog blue body bool boolean bound bounds box branch brand break browser bucket buf buffer
build builder bundle business by byte bytes cache cached calendar call callback called calls can cancel
cap capture card cards cart case cat catalog ce cell cells center cert chain change changed channel
channels char character charset chat check checked checkout child children choice choose chunk circle
claim class classes clean cleanup clear cli client clients clock clone close closed cloud cmd code codec
codes collect collection color colors column columns com command commands comment comments commit common
company compare compile complete completed component components compute concat condition conditions config
configuration connect connected connection connections connector console const constant constants
constraint constraints construct constructor contact container contains content contents context contract
control controls convert cookie coordinate copy core correct cost count counter cover cpu create created
creation credentials cross crypto css csv ctx current cursor custom customer cut da daily dark dashboard
data database dataset date day days db dc de dead debug dec decode decoder def default defaults define
definition delay delete deleted delta demo dep dependencies depth description design dest destination
destroy detail details detect dev dictionary diff digest dir direct direction directory disable disabled
disconnect disk dispatch display dist distance div do doc docs document documents dom domain done dot
double down download drive drop duration dx dynamic each easy echo edge edges edit editor effect element
elements email emit empty enable enabled encode encoder encoding end endpoint engine entities entity
entries entry enum env environment equal equals err error errors escape eval event events every example
examples exception exec execute execution exist exists exit exp expand expect expected export exports
expression ext extend extension extensions external extra extract fact factor factory fail failed failure
fake false family fast feature features feed feedback fetch ff field fields file filename files fill
filter filtered filters final find finish finished first fit fix fixed flag flags flat float floor flow
flush focus folder follow for force form format forms forward fragment frame frames framework free from
front full function functions future gateway ge gen general generate generated generator generic get git
global go goal good google graph green group groups gu guard hand handle handler handlers has hash have he
head header headers health heap height help helper helpers hex hidden hide high history hit horizontal
host hostname hot hour hours href html http icon id identifier identity ids if ignore im image images img
import in inc include index indices info init initial initialize inline inner input inputs insert install
instance instances int integer interface interfaces internal interval into invalid inventory io ip is iso
issue it item items iterator java join json keep key keys keyword kind label labels land lang language
languages large last latest layer layers layout lazy leave left len length less level lib library light
like limit line linear lines link links list listener literal live load loaded loader loading local
location locations lock log logged logger logging logic login logo logs long lookup loop loss low lower lp
mac machine magic main major make management manager manual map mapping maps mark mask master match
matches math matrix max me mean measure media medium member members memory merge message messages met meta
metadata method metric metrics micro middle min minus minutes mix mock mod mode model models modified
modify module modules month more move moves ms msg multi my name named names namespace native need net
network new next no node nodes non none normal not note notes notice notification now ns null num number
numeric obj object objects of off offer offset ok old on once one online only op open operation operations
operator ops opt option optional options opts or order orders org origin original other out output outputs
over override owner package pad padding page pages param parameter parameters params parent parse parser
part partial partition parts party pass password patch path paths pattern pause payload payment peer
pending people per percent permission permissions person phase php pick picture pid pin pipe pipeline pkg
place placeholder platform play plugin plugins plus png point pointer points policy pool pop port pos
position positions post power pre prefix prepare present previous primary print priority private problem
process processing processor product products program progress project projects prompt prop properties
property proto protocol provider proxy public publish pull push put query question questions queue radius
raise random range rank rate raw read reader ready real reason receiver record red redirect reduce ref
reference refresh refs regex region register registration registry rel related release reload remaining
remote remove render replace reply repo report repository req request requests require required requires
res reset resource resources response rest restart restore result results resume retry return reverse
review right root round route router routes row rows rpc rule rules run runner running runtime safe same
sample samples save saved scale scan schedule schema scheme scope score script sdk search sec second
seconds secret section security seed segment select selected selection selector self sell send sender sent
sep separator sequence serializer series server service services session sessions set setting settings sha
shape share shell shift shipping short show side sign signal simple single site size sk skill skip slice
slot small snapshot so socket soft solution some sort sorted source sources space span spawn spec special
speed split square src stack stage standard start started stat state statement states static statistics
stats status std stdout step steps stop storage store str strategy stream string strip structure style sub
submit success sum summary sup super support surface svg switch symbol sync system tab table tables tag
tags tail take target task tasks team template templates term test testing tests text th the then this
thread threshold throw ticket time timer times timestamp title to today token tokens tool tools top total
touch trace track train transaction transform transition transport tree trigger trim trip true truth try
ts turn two txt type types uint union unique unit units until up update updated upload upper uri url us
use used user username users util utils val valid validate validation validator value values var variable
variables variant vars vector verbose verify version video view views virtual visibility visible visit
wait walk warn warning watch we web weight when where white width win window windows with word words work
worker world wrap wrapper write writer www xml xyz yaml year you zero zone
`,
  '1112': `
ADDRESS AND ANY AST ATTRIBUTE BEGIN CACHE CALL CPU DEL DIR DIRECT ENV ERR EXPORT FOR FROM FULL HEAD Impl
KEEP LEVEL LICENSE LIST MB MS NOTE OPTIONS OTHER PATCH PATH PER PRIVATE RATE RESOURCE RPC SERVICE SHA
SPECIAL TCP THE THIS TLS TRACE USE WARN WITH added addresses again agents alarm alignment alive amp arrays
attempt attention authenticated backup based basis between blob budget bug busy bw campaign candidate
cases certificate changes charge chars checks checksum chunks completion complex configs continue
conversion counts ctor cycle cycles dash decimal defined depend dependency descriptor difference digit
digits distribution dns due duplicate duplicates else encoded episode epoch even exact except existing
extended far fault fee formats formatter found four fraction fw gap gate generation given globals half
handles heads here hits hold hook hooks hosts https idle information inside instruction ipv iteration
keywords known letter letters levels license limits linux listing lists manifest many marks matching meter
minor missing multiple needed negative nested nf numbers owned packages pair pairs pat pct perf phrase
picker piece ping places plain ports positive possible prior probe processed processors pwd quality
queries quotes ranges rates ratio reads received recent registered regular removed reports requested
reserved resolution returns revision runs sampling scores scripts secure seen segments sentence servers
sets signed since sizes slots spaces specific sr strength stride strings suffix suite supported taken
terminal terms than that threads three tls tracking traits under unicode unknown unsigned unused updates
upgrade usage using usr utf versions void vs way wc wire without workers written wrong
`,
  '1121': `
Absolute Access Actions After Agent Allow An And Annotation Any Api Application Args Argument Async At
Attribute Attributes Auth Authentication Background Bad Basic Batch Be Before Big Binding Body Bool
Boolean Bounds Build Builder But Byte Bytes CSS Cache Calendar Can Cells Certificate Change Child Chrome
Clock Clone Cloud Co Collection Column Columns Commands Compare Concurrent Condition Configuration
Configure Connect Connection Console Const Constant Convert Counter Cursor Decode Delay Dependency Depth
Description Deserialize Detail Dev Diagnostics Dir Direct Directory Disable Dispatch Distance Does Double
Drop Duration Dynamic Edge Empty Enabled Encode Encoding Endpoint Engine Entry Enum Environment Equal
Events Exchange Exec Exit Exp Expected Experimental Export Extension Factory False Fast Feature Features
Fetch Fields Files Fixed Flags Float Forms Full Generate Generated Getter Go Google Graph Groups Hand Has
Hash Headers Health Help Hex High Host How Http Identity If Import Include Information Initial Install
Interval It JWT Java Join Json Keys Kind Language Lib Library Linear Linked Listen Listener Lo Loader
Location Logger Logging Look Low Make Many Mapping Mark Match Math Maximum Media Memory Merge Messages
Mock Modified Modules More Msg Multi Must Na Named Namespace Native Network Next Non Note Now Null Objects
Observer Of Offset Ok Once One Operation Option Optional Options Or Other Our Override PUT Package Pair
Parameter Parameters Parent Parser Part Pass Paths Pattern Payload Pending Percent Permission Please
Plugin Policy Power Prepared Priority Pro Progress Promise Properties Protocol Provider Proxy Pull Push
Question Queue Range Raw React Reader Receive Ref Reference Reflection Regex Registry Regular Release
Replace Reporting Repository Require Required Requires Resolve Resource Resources Results Root Round Rows
Rule SDK Safe Scan Schema Scope Score Script Second Secret Security Sequence Serialize Series Services
Shape Share Shared Short Side Signal Simple Single Skip So Socket Some Spec Special Speed Split Stack
Standard Starts Step Storage Store Stored Strict Subject Subscription Success Sum Super Support Symbol
Sync Take Tech Term Tests That The Then There These They This Throw Throws Timeout Timestamp Token Tool
Tools Top Trace Transfer Transform Transport Tree Try Typed Types UInt UTC Uint Unique Unknown Unsupported
Up Uri Url Use Utility Valid Validate Validation Validator Values Variable Verify Version Views Visit
Visual Warning We What Where Width Windows Word World Writer You Zero abstract additional apache argv ask
audit authenticate authentication authorization await aws azure belongs but calculate camel catch ceil
challenge characters closest collections combine community compiler compose compress configure consume
consumer cookies cool cwd deep deploy describe deserialize did dirname discord effects ends ensure
enterprise exceptions exclude exe experimental figure flight foo gb github glob gmail grpc hardware hl
includes inject inspect instructions instrument integration invoke javascript just jwt kill leading learn
life likes listen listeners loads look matcher maximum memo middleware mime minimum minute multipart must
nano ones opens ordinal organization parents pathname perform performance personal practice pretty prevent
production promise protobuf prototype providers quick raises react redis references reflect reject
repositories resolve respond responses retrieve rollback routing say schemas semantic serialization
serialize solve sqrt starts stderr stdin strict syntax tech tell ten them third tight timeline transparent
twitter undefined utilities utility want was website what which workflow xr yellow
`,
  '1122': `
AA AMD ARE ASCII AWS Abort About Above Added Adding Additional Additionally Addresses Adds Admission
Advanced Age Ahead Alias Alive Allowed Already Also Alternative Always Am Analysis Andrew Answer Answers
Anything Anyway Apple Apps Arguments Assembly Authors Avg Avoid Aw Ax Ay BSD BUT Badge Based Because Below
Ben Benchmark Best Beyond Bits Blast Boom Both Bound Browser Budget Bug Built Bw CLI CRC Called Caller
Calling Calls Candidate Case Catalog Cause Cf Chance Changed Changes Channels Characters Checks Clause Cod
Codes Collector Colors Comments Community Compared Comparison Compatibility Compile Complete Compression
Conduct Connecting Connectivity Connector Consider Constructor Contents Continue Contributor Conversion
Copyright Cost Counts Credentials Critical Currently Cut Cuts DNS David Defaults Define Defines Definitely
Definition Depot Deprecated Descriptor Destination Details Detection Developer Development Did Difference
Digit Discord Disk Distribution Docs Don Draft Drain Due Dw Dx Dz EA Each Effect Effects Electron Encoder
English Enough Entries Episode Episodes Epoch Every Evidence Exact Example Examples Explain Explicit
Exposure Express Extended FAQ Fact Failed Failure Fault Finished Fix Fo Follow Formats Found Fran Fully
Functions Further Fx GMT Generator Gets Getting Git Github Given HTTPS Half Handling Healthy Held Hello
Here Hi Hint History Hit Hits Hook Hop Hub Hw IMPORTANT INCLUDING IPv ISC ISO Idle Ii Impact
Implementation Importance Important Imports Improve Inbox Inc Includes Incoming Infinity Inside
Installation Instead Instruction Integration Issue Iterable Its James Japan Jet John Josh Ju Just Keep
Known LOSS Largest Learn Letter License Like Limit Limits Lines Linux Loads Logs Looks Lower MIT Mac
Manual Maps Marks Masks Matches May Maybe Mean Meter Methods Metric Metrics Microsoft Miner Missing Most
Ms Multiple NSA Names Nathan Near Neither Nested Never Nobody Notes Nothing Ns Numbers OAuth Observation
Old Older Only Operations Operators Optimal Optimize Origin Original Others Overflow Overview Ow Own
Parents Parsed Parsing Parts Passing Pause Peer Performance Pf Pick Picker Plain Points Polar Pool Portugu
Positions Prefer Prefix Previous Problem Processor Prompt Proto Prototype Provide Provides Providing
Published Purpose Pw Questions Quick Quiet Quote README REST RFC Rabbit Radius Rate Ratio Reading Reads
Ready Reason Received Records Recursive Reject Remarks Removed Replacement Represent Requests Reserved
Resolution Resolver Responses Restore Retry Returns Review Robin Rules Runner Running Runs Rust STRICT
Safari Same Samples Scores Seal Seconds Secrets Secure See Seen Segment Selector Sent Sentence Servers
Serving Sets Setting Shares Shift Shows Since Six Smart Snake Snapshot Software Something Sorted Span
Sponsors Started Stats Stops Stores Streaming Studio Summary Supported TTL TZ Tail Tcp Templates Tenant
Testing Thank Thanks Therefore Things Those Threshold Through Timeline Times Tokens Too Tracker Two UND
URLs Unary Unicode Union Unix Unless Unlike Unsafe Updated Upgrade Upper Usage Used Useful Uses Using Utf
Vocabulary Wanted Watch Weak Welcome Well Whether Which While Who Whole Why Will Wire Within Without Words
Worker Workers Works Wrapper Writable Writes Writing Wrong Your Za aaa aad abc abe able above absence
acceptable accepted accessible acts actually adapt adding addition adds advanced affected aggregation
agree ahead ais alerts allocation allows alone along already also alternative although always among
anonymous another ansi answered anything apart appear appearance applications architecture aren around
ascending asia aside asin asked asking asks assemble assembler assembly assigned assistant associate
associated attached aud authority authors automatic availability avatars avoid aware away awesome bab
babel badge bare bash battery baz because been behind being below bench benchmark better bf blast blocking
boom both bounded brace brief broken broker bugs building built bun burst cac caf caller calling came
cannot canonical care carry caught cause cea cef certain chains chalk chance changing charts cheap
checking chosen closing closure coded coding collector colon combined come comes coming comma commercial
communications compact comparison compatible compiled compressed compression computed concept conditional
configured confirmed connecting consider consistent constructed construction contain contained
contributors controlled conversation converted copies copyright could coverage covered covers creates
creating critical curl currently cuts dad dde dea deal decision declare decoded defines definitions deny
depending deployment deprecated deps derive derived desired developer development different discard
discover distributed doctor does doing don downloads draft drops during early ebb ebe ecc edition
effective efficient eight either embedded emoji ended ending entered episodes era eras escaped escaping
eslint esm especially etc evaluation ever excluded exclusive expanded expects experience expired expiry
explicit express extends facts fails fall fallback fallen falls fan fatal favor feel few filled finding
fine firm fits five floating folders forces forget fork formatted fresh friendly frontend fully gave gets
getter getting gh gi gist give giving going gone got grammar graphql graphs great greater grep guards
guide gzip had handled handling hands hard harm hashed having healthy heard heartbeat held hello helps
higher holds hop how human identify ignored immutable impact implement implementation implemented
implements implicitly importance important imports incident included including inclusive incoming
incorrect increase indexed individual infer inform inherit inherits installation installed instead
interpret issues iterate its jest keeping know koa lack lag largest late later law lead leader least
ledger legacy let lets lexer libraries licensed licenses lie lies limitations limited linked lint listed
lite little localhost located logos looking looks loops lost lot lots lowest made maintenance makes making
mapped markdown marked masked matched matter may maybe meaning means median meet mention merged might
migration million milliseconds mind miner minimal mixed modern moment months most mts much near nearest
necessarily necessary needle needs neutral never newline nice nine nor notation nothing noticed npm nw
occur offers official often older omit onto opaque opened opening operators optimization optimized ordered
ordering ordinary oss others otherwise our ours outlined outside overall overflow overview overwrite own
owns packed paired panic paragraph parsed passed passes passing passwd past paused perfect performed
perhaps permit persons pieces placed please pod polar postgres potential predicate prefer preferred
prepared prepend preset primitive principal printed prints produce producer proper proposal protected
provide provided publication published pure purpose puts qualified quarter queued queues quiet quoted
raised ran ranking rare rather reach reading readonly really recommend recommended refer reflection regexp
released remain replacement reported repos represent representation resolved resolver respect restrict
restricted rests retain returned reuse rights rise risk rk roots rounded said scenario seal sealed
searched see selectors sending serialized serve served severity shall shares shed shim ships silent
simulation slash slow software something specified spread stable stand stands stars starting statuses stay
stem still stored stores streams strong structured structures stuff such sure svc systems takes taking
tbody telling tenant terminate terminated tested texts thank thanks there these they thing things think
those though through throws thus ties tiny toc too tracked traffic treated trust trusted trying ttl turned
typed typeof typically undef underscore unexpected unix unless unsafe unset unsupported upon usable uses
usual usually validated variance variation vary verb verbosity verification very vg via visitor walking
wanted warm warnings ways weak webpack welcome well went were whatever whether while who whole whose why
wide wiki will wish within won working works worth would wrapped writes writing xd years yet yield your
`,
  '1212': `
ALLOW QUEUE stdio
`,
  '1221': `
Enums Ordinal gnu mozilla
`,
  '1222': `
AAAA Absent Affected Ascii Authenticator Cc Confirmed Counters Deps Deviation Digits Dirs Dropped Dv
Emitter Encoded Ended Endpoints Exceeded Exclude Exporter Exports FTA Fg Finite Fw GIN Grouped Grpc
Handlers Ids Indices Interceptor Kinds Listeners Matched Millis Milliseconds Newest Observed Opened Opts
Overlap Pct Processors Propagation Ranges Readable Readonly Repeated Resolved Reuse SSF Schemas Sequences
Shown Sockets Suffix TTY Texts Tls Tracer Tracing URIComponent Unavailable Watcher aac acf aea aec aed
akia apikey apis bbc bea bfd callee ccc cdc cdn cee dfa eca eda edd eed eef efd endregion etag fcc ffa ffc
ffff foobar fz gte iana ietf imul lte orca otel paged servername slashes stackoverflow thead tsx
typescript umd utm
`,
  '2111': `
reporting
`,
  '2112': `
CONNECTION FAILURE KIND SECURITY accessor batches candidates customize detection latency lengths literals
modes overlap requirement sensitive sequences shapes specs supply
`,
  '2113': `
probability
`,
  '2121': `
circular concurrent discovery enums interceptor lifecycle messaging microsoft naming obtain optimize
preference streaming stringify trailing transforms websocket wikipedia
`,
  '2122': `
APIs ARISING AUTHORS Bun CONTRACT CType DAYS EXPRESS Espa Finds IDM IMPLIED IService JSX LIABLE MCA MCP
MIME NONINFRINGEMENT PSI Ranked Remedy Removes SHALL SOFTWARE Sends TORT Takes abnormal aborted absent
absolutely accepting accepts accessed accessing across additionally addressed administration advice affect
agreed allowing altered anew anomaly answering anyone anyway anywhere appended applicable applied applies
arbitrary arrive arrived arrives assertion assertions assume assumed assumes asynchronous asynchronously
attacks audience backwards badges baf become becomes beforehand began behave behaves behaviour belong bey
beyond bigint binds blame bodies borders bracket brackets breaks builds bypass caches caching callers
cancelled capabilities capability capped carried carries casing caused causes causing chained challenges
clocks closes collected collective combination commits comparable compared compares comparing compilation
completely compliance compliant composite conclude concurrency configurable configurations configuring
conflict connectivity consecutive considered consist consists constructors containing contribute
contributing contributions conventions conversions converting converts convex correctly correspond corrupt
costs counted counterpart counters crash crashed crashes crossed cumulative databases david dear debugging
decide decided decides deciding decimals declaration declarations declared decoding demand depot described
describes descriptors designed destroyed detailed detected determine determined deviation diagnostics
dictionaries differ differs directly disables disagree disclosure discussions dispatched displayed
distances distribute documented doubles downstream drain draining dropped durable durations easier easily
echoed editors emits emitted emitter enables enabling endpoints enforce engineer engines enough entire
environments established everywhere evidence exceed exceeded exceeds excess excludes executable exemplar
existence explain exponential exported exporter exporters exporting expose exposed exposes exposure
expressions extending extremely failing failures faster fastest fence fenced fences fetched fewer figures
filtering finds fitting fixes flagged folded followed follower follows forbidden formatting forwarded
frozen functionality funding furnished further fury gaps gather gauge generates generating gives goes
granted graphite grouped grows guarded guessing guidelines guides handbook handshake happen hashes helpful
hexadecimal hides highly histogram hops huge hundred identical identifiers identifies immediately implied
implies imported importing improve improvements inbox incidents increases independent indicate indicates
indicating indirect inferred ingest initialization injection insensitive installing installs instanceof
insufficient integrity intended intercept intervals invariant invisible invocation invoked isn itself
japan keeps kept keyed keyof killed kinds knows labelled larger lasts leak leaked learns leaves leaving
lifetime listening lives locally longer longest longs lowercase malformed manually mappings marketplace
matters meant measured meets mend merging migrate mined mismatch mocking modifying moved namespaces nanos
narrow nearer needing needles neighbours neither nesting networks newer newest newly nobody notable
numbered numbering observation observed oldest onset operating optionally originally origins orphan
outcome outgoing overhead overload overloaded overridden overrides overwritten parses parsing particular
partitions passwords pauses pays peers percentile performs picks pinned platforms playground policies
pooled populated portions positional precedence prefers prefixes preserve previously printable probes
problems processes produced programming programs prompts protocols proves proxies pushing randomness
ranked ranks reached reaches readable readers reasons receivers receives receiving reconnect recorded
recording recovered recovery redact referenced referencing referral refers reflected refusal refuse
refused refuses regarding regardless regression rejected releases relevant relied relies rely relying
remains remedy removes removing repeated replaced replaces replay represents requiring resets resolves
respective restarted resulting resumes retained retention retries returning reusable reused reveal
reversed risen ruled runaway safety sampled saturated says scanned scans scoped scopes sealing secrets
seems sees selects sends sentences separate separated serializers serves serving settle several severe
shaping shields shifts shorten shorter shorthand showing sick sides sight significance significant simply
singles sits sketch skipped skips slogan slower smaller sockets somebody somewhere spaced spans spared
spawned specifically specification specifies specify specifying sponsor sponsors stale stamped statements
stays stems stopped stops strangers stripped stripping structural substantial subtype succeed successes
successfully suitable sums supplied supporting switched switches symptom synchronous tally tape tells
tenants theirs thousand thousands thresholds throwing thrown tighter timed timing together tokenizer told
took torn touched touches traced tracer traces tracing transferred transports treat tried triple truncated
tuned turns twentieth twice typical typings typo unaffected unavailable universal unloaded unnecessary
unreachable unread unspecified unusual upstream useful utilization validates validating valign various
verdict verifier violation visibly vocabulary vscode vulnerability waited waits walked walks wants warns
wasm watched weigh whenever whichever whitespace wholes whom wider witness workflows worry worse worst
wraps wrote xem yarn yields
`,
  '2123': `
COPYRIGHT INDIRECT LIMITED NEGLIGENCE OTHERWISE PURPOSE SERVICES WHETHER attempting attempts balancing
consumed consumers consuming declares declaring declined effort elsewhere equally equivalent exactly
farther faults halves hereby intrinsic limitation mutated occurrences occurs semantics surrogate
underlying understand understands wrapping
`,
  '2132': `
Builds Contributors Converts Implements biome compatibility deepest enumerable externally globally
harmless instrumentation looked omitted performant rejects robust scenarios strictly telemetry
`,
  '2133': `
CLAIM Collective DAMAGES Differences Discussions Duplex Economy FITNESS Gathering Indicates Keeps Kraken
LIABILITY Parses Polski Silence Verdict aims alongside ambiguous appears approach automated automatically
avoiding bearer became benchmarking benchmarks besides bundled bundles chooses clauses closely continues
copied densely determines diagnose diagnosis differences doesn earlier earliest economies economy
ecosystem ensures ensuring escapes evaluated explained explains explicitly forged garbage gauges
implementations implementing incorrectly integers internally invented investigate investigation judged
literally maintain maintained mechanism mistake obtaining occurred potentially pretend primarily propagate
propagation properly provides providing purposes renamed replicas representing respectively responsible
restrictions silence silently situations sixteen speaks splitting standalone standards strongest suspect
talks therefore throughput towards trailers unauthorized unchanged untouched vacuum whoever widely
wildcard yourself
`,
  '2212': `
BIND FATAL INFINITY
`,
  '2213': `
BYTES
`,
  '2221': `
Cursors
`,
  '2222': `
AAAAA AAgg AAw AAx ACg AOC AUg Aej Aoq Bz Callee Callers Coded Compares Counted DEAw Dfh Dg EAk EZD Fewer
Folds Formed Fz Gaps HQo Hmac Htr Ingest JSONSchema Jd Luhn Lweg OIC Onset Otel Ovc POSITIVE Postgres
Punctuation Puts Pz QGew QNA Reversed Sampled Slower Tally Ties Traces Triage Tt UUIDs Uwn Worry Yd Zl Zod
Zp Zx Zz abprs aiza authenticator backpressure bidirectional columnar cursors deadlock decompression
deltas encodes evicted fetches ffw generalise glpat healthcheck healths llm loopback lossless mcp
microsecond millisecond nanoseconds onsets orphans otlp posu prefixed presences quantile quantiles
queryable queueing restarts retrying rfc rollup rollups senders slowest smhd stacktrace subarray
uncompressed unrecognized unsaid untrusted unwell varint windowed xox zod zstd
`,
  '2223': `
ABAp ASIA AXj DLz NEGATIVE OTLP decoders halving ordinals triage underflow
`,
  '2232': `
Adp Closes Decided Deciding Exclusion Exemplar Exponential Healths Ifg Itself Orphan Refusal Refused
Resolves Rollup Rollups Scanned Sealed Spans Stands UTCDate Weigh lexicon
`,
  '2233': `
AAAACA AAAAD AAAADA AAAAw AAACA AAAIC AKIA AQAA Alarms Anomaly Circles EFz EPSILON Folded HXK Halves
Insufficient Likely Nanoseconds Oldest Overloaded Pauses QEAg Quantile Recognises Rejects Ruled Rxg
Sixteen Strongest Summaries aggregations apostrophe callees checksummed emptiness eyj fewest gho ghp ghs
ghu leaner narrows segfault temporality xdfff
`,
  '2333': `
AAAAAA AAAAAAA AAAAAAAAAA AAAAAAAAAAD AAAAAAAAAAP AAAAAQ AAAAAg AAAAAw AADw RYUg otelcontext xffffffffn
`,
  '3122': `
punctuation
`,
  '3133': `
BASIS CONDITIONS CONSEQUENTIAL DEALINGS HOLDERS PROFITS PROVIDED WARRANTIES WARRANTY anomalies browsers
busiest completes concerned convenience convenient convincing corresponding corresponds deterministic
deviations differently disregard dynamically encountered entirely exclusively exhausted exposures
gathering governing gracefully guaranteed guarantees happened happens innocent interoperability
negotiation overriding philosophy practices prettier repeats resolving safely satisfies satisfy separately
separators significantly sponsorship sublicense subsequent succeeds suffers themselves worrying
`,
  '3134': `
PARTICULAR acknowledged
`,
  '3144': `
investigations
`,
  '3233': `
BFSR Deviations arcsine convincingly deviated exemplars inconclusive monotonic refusals severities
summarise superseded tallies throttled unexplained unreadable
`,
  '3243': `
Exemplars
`,
  '3333': `
AAAAAAAAAAJ AAAAAAAAAAMD AIOY DAAAAAB Deterministic EAAAAAAAAAw EACCES ENOTFOUND Gpvff HAAAAAAAAAAD Hfffw
Inconclusive LOAxu MAAACA MAWSvi PAAAAAAAAAAD PAAAAAP TQAA Underscore booleans coarsely coarser exfiltrate
jothg
`,
  '3334': `
CAIAAAAA CONSUMER
`,
  '3343': `
Emptiness
`,
  '3344': `
AAAAAPD AAAAAPj AAAAAPz AAAADg AAAADw AAABw AAAMLF AQAAAAAAAAAA Anomalies BSAAw Djvgcw Superseded
unauthenticated
`,
  '3444': `
AAAAAAAAAAAAD AAAAAAAAAAAID AAAAAAAAAADg AAAAAAAAAAOD AAAAAAAAAAPD AAAAAAAAAAPj AAAAAAAAAAPz AAAAAAAACA
AAAAAAAAg AADgfw BQAAAAD DAAAAAAAAAID
`,
  '4144': `
CONTRIBUTORS
`,
  '4145': `
acknowledgement
`,
  '4444': `
DSKAAAAAMB EAAAAAAAAAAADA EADDRINUSE KAYQf MAAAAAAAAAAACA OIRQwgg YAAAAAfv opentelemetry
`,
  '4455': `
AACAAAOll AQAAAAAAAADA VPQDZAho
`,
  '4555': `
AAAAAAAAAAAADw
`,
}

export interface WordCost {
  readonly alone: number
  readonly afterSpace: number
  readonly afterUnderscore: number
  readonly afterStop: number
}

function gather(): ReadonlyMap<string, WordCost> {
  const known = new Map<string, WordCost>()
  for (const [digits, words] of Object.entries(wordsByCost)) {
    const [alone = 0, afterSpace = 0, afterUnderscore = 0, afterStop = 0] = [...digits].map(Number)
    for (const word of words.trim().split(/\s+/)) {
      known.set(word, { alone, afterSpace, afterUnderscore, afterStop })
    }
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
