"""English words that lie one edit from a known word but mean something else, so that they are never corrected."""

_TEXT = """
    abase abases abetter ablate abound abreast acardiac acuate addend adder addled addling adit adsorb adust advance
    advancer aero affusion affusions after agastric agate agone aground ague aide aided aiding aids aint aitch alate
    alder alight aller alose altar altern alveolary amasses amble amove amply ampule anormal anted anting ants
    aortal aped aper apes apieces apter aptly ards aright arise aroid arow assent asses aster atrip attack atter
    avast avid baal babble babbles babe babes bach bade bagger baggers bake baking bale bales balky balter banal
    banally bane banes banish banishes bans bant banting bare bares barge barger baring barked barking barse basalt
    based bash bashes basil basilary basis bask basks bass bast baste bastes batch batches bate bates bath batter
    beach beal beast beater beep beeping being beings believe bender beth bettor bever biases bide bifilar biggen
    bight biliteral billing billings binger bises bitch bitter blase blat blear bleared bless blesser blight bling
    blower blurted blurting boast bobble bobbles boist boort boos boose boot booth boots boring bosh bosses botch
    bote botel bothy bots bott bowed bower bowl brace brain brained brains braise braised braises braising braw brig
    bright brine bringer brink briny broke broker broth brow bruiser bruiting budge bugger buggers built bulgy bully
    bumble bumbles bunted bunting buntings burble burbles burn buses bush butter cake cakes caking calve calvities
    cancel cancels caner caners canker cankers canner cannon cans canst canted canter canters canting cants canty
    cardia care cared carked carking carved casal case cases cast catch catches catchy cater caters cease censes
    cerate cere cered cero cess cesser chance chanced chances chancing changer chanted chanting charge charged
    charges charging chickened chickening chide chopping chow chymic cingula cive clanged clanging claque claques
    class classes cleaned cleans clearer cleat cleats cleave cleaved cleaving cleft close codify concert cone cones
    confusion confusions congeal conies considerably consolation consolations console consolidate consolidator
    consul consuls cont contested convect convent copses core cored corm corse coth cove covert cower crate craw
    crease creat cred cremate crenate crete crop cross crossly crow crowing crows cruise cruises cruising cube cubed
    cued cuke culminant cupper curb curd curer curie curl curled curr curs curse cursed curt curve curvet cute
    cutely dads damped damper dancer dancers danish danishes dater daters dazes dded dding deal dear deave decease
    deceased deceases deceasing deck decl deco decor decry deduce deduced deduces deed deeded deeds deep deeper deer
    deft degrade degrease delate delict densify dent deplete depleted depleting derive descale desorb dess detain
    devolve dhow diddle diddling digger diggers dight dilate dilater diluted dilution dilutions dint discase discord
    diseased diseuse dissension dissensions dissolver dive doable doat doit dolt dona done donet dong dons donut
    dorm dorp dose dosses dost dotal doth doubled doubler doublet doubly dout dove dowel dower downside drab drag
    drail draine dram drat drawl drawn draws dray drew drip drivel driven driver drives droop dropt dross drove drow
    dunt dure dutch ease easel easing east eater eaters ebbed edict educe educed educes effusive egress eide eight
    either elusion elusions emit emphysemic empyema empyemas enema enemas enfolded enfolding enlarger enlargers
    epical epically eradiate eras eraser erose erse escalade esse etch euge evaluate evanish ever exaggerated
    excerpt exch exchanger excide excite excuse exit expend expensive extensile extrema facture fain fainest faints
    fainty fake fakes faking falling falter fans farm fast fazes feal feed feeds feint felling fender fess fetter
    fever fiddle fiddling fight fila filar filing filings filming filum fipple firm fitch five flight flint florin
    flosses flower foam font fora forb ford fore fork formal forme fort forum fosses fraise fright frilling frow
    fudge fulling furn gadded gadding gages gales games gane gapes gases gashes gasps gastrin gatch gater gates gave
    gazes geal geed gender gene gentile getter gibe gild gilder gite given giver glace glads glans glassen glassy
    gloss glow glower glowing gode gong gonk gore gorse gote goth gove grace grain grained grains grant granulose
    grass grasses grater greaser great greaten greet greeter grew groat grog grok groks groping gros grosz grot
    grots growl growling grown guild gurge gush gyve hade hades hajes hake hale haled hales halse halter halved
    halves hames hanged hanging hares harked harking hart harts hast hatch hatches hater haters hates haves hazel
    hazels head headed heady heald heap heaped hear heard hearth hearths hearty heat heated heats heave heaved
    heaving heed heeded heeds heel heeled heft hell helve hemal hepatoma herl hernial hero hider hied hight hike
    hill hills hilt hilts hipe hire hitch hive hiya hone hopping horse hose hove howel huke hula hulas hulky humor
    humors humour humours humungous hush hyla ignote imaginer imaging imbed imit immerse impaint impone imposer
    impost improver incense inch incl included increaser increate incur induced inducer induct indue inert infect
    infiltrator infiltrators inflection inflections inflective infolded infolding injection injections insect
    insected insection inset insetted intens intensity interior intr introducer invection invective invert inverted
    issue itch jakes jeep jess jetter jigger jiggers jive join joins joist josses jove judge keef keek keel keeling
    keen keening kelp kemp kero ketch killing killings kittle kneed laager laagers lace lager lagers lagger lake
    lakes lancer lancers lant larder larders largess largo larked larker larking larkish larve lases lass last latch
    latches later lave laving lazes laziness leach leading leafing leaking leal leaning leaping lear leas lease
    leaser leasing leat leaved leaven leaver leaves leavy lect leep lees leet lefty legion legions legs leis leks
    lender lens lent lept lessee lesson lessons lessor lest lester lets letter lever leys lift ligger light lighted
    lighter lightest lightly ligula lingua lingual liny liss litigate live lode loess loft loge loke lone loner
    loose looses lope loper lore losel loser lost lote loth louse louses love lover lowery luge lure lured lush lyse
    mace maces mach macing macroscopic madding made mage mages maker maki mako makos male males malignance mall mane
    manes manor mans manses maple mare mares marge marker market marred marring mashes masked masse masser mast
    match matches mate mater maters mates mating maxes maxing maying mayor maze maziness meal meddle meddling
    mediastine medius meed meld meliorate mender menus mero mess messes middler might mike mikes miking milden
    mildew mile miler milf milk milker mill miller milling millings milo milt milter minas mind minder minds miner
    mines minima minis minks minos mints minuet miny misease misplay misses missive modal mode modem moderato modes
    modularity module modules moke mokes mold molder mole molest mome mone mont mope morel morse mote motel moth
    moue mover movie mower muddle muddling mure mush musses nake nans narked narking nasal nasally natch neal
    needled neer neper nerd nerds ness nether netter neve newer nide nigger niggers night nine nithing noddle
    noddles node noduled noint nome nona nonce nones nonet nope norm norma northing nose noshing notal notching note
    noting nowel nubble nude oases oast obit ocreate odds odea often ogive oint opahs opals opine opines overlap
    overlead overlord overlords overloud overly overpay overplay ovoid pace paces pacification pacified padded
    padding pain pains painty palace palter pans pant panted panting pants paque parch parches pare parenchyma
    paring parked parking pasch pash passes passive passively past pastern pasterns patcher path patio patios patten
    pattens patter paxes peace peach peal pealed peart pease peed peep peeping pelite pericardia pericardiac
    pericarpial peripherals peripteral petter piddle piddling pilling pine pines piniest pint pintail piny pish
    pitch pitches pitchy placer placet plack plage plague plagues plaice plaint plait plan plane planet plank plans
    plat plate platt pliant plight ploce plower plural plush pneuma point pone porrect porta pose posh posses potch
    power poxes praise praised prase preserver preset prevent print producer product profess professes pronounce
    pronouncer prop propound prow prowess pure puree purse pus pushy puss pyxes quadrupole race rach radicate radio
    radios raiae raided railed rain rained rains rais raised raiser rake rakes raking rant ranted ranting rants rase
    rased rases rasing rasse ratch ratels rater raters ration rations razes reach reader real reave reaving
    recompensation redder redress reducer reduct reed reeds reedy reft regain regrate regrets relive relove
    remonstrate remote remotes remover renter repace repress requited resale resent reserve reserving reside resile
    resole resoled resoles resoling resolver resort retail retrain revere revolve revolved revolves revolving rewove
    rhymic riant riddle riddling ride rigger riggers rightsized ring ripple rise rive river roost rose ross rotal
    rouble rove rowel rower rowing rubble rumor rumors rumour rumours rush sacs sags saint saintly sake sakes salter
    salve sample sand sands sane sang sank saps sarge sarking sass sasses saws says scall scans scanter scantly
    scare scarfing scarping scat scatty scent scow scrip scrum scute scutter seal sealed searing seave secant seduce
    seduced seduces seed seeded seeds seep seeping seine seines seizable sender sens serous sess setter sever severs
    severy shadowy shaft shall shanty share sharing shatter shaw sheal shew shide shifty shine shines shirt shit
    shod shoe shog shoo shop shopping shot shown shows showy shrank shriek shrieking shrift shrine shrub shrunk
    shtick sick sift sigger sight sightly signore sild sine sines singular sins sinus sketchy slant slap sleave
    sleight slick slighty slow slower smalls smally smalt smatter smell smeller smit snap snare snaring snick snift
    snow soap soaring softer sone sons sorta sower spacey spacing spade spades spading spae spake spale spall spane
    spans spar sparer sparge spark sparking sparling spars sparse spary spate spates spatter spaying spearing spice
    spick spies spike spikes spile spiles spin spined spinel spinels spinet spinets spink spiny spiral spire spires
    spiring spital spite spites spline splines spore sporing spring spurge stack stake stall staller stare staring
    starring stich stimulate stink stirk stock stomacher stomachy stow strap strep stria strick striding stripe
    stripes striping stript stripy striving stroking strop stuck substantival substituted substract subtile suine
    sulky suns supine supper surge suttle swab swad swag swam swamp swan swans swape sware swat swatter sway swift
    swine swines swop synthesis synthesist synthetize tach taint taka taken takes taking tale talk tame tans tape
    tare targe tarn tasses tater taters teach teak teal tease teat tedium teed teensy tels tender tensity tern
    tetter theroid thoracica threat thymi tick tiddle tide tidiest tidy tight tighten tike tilling tind tine ting
    tink tinniest tinny tint tipple tissued titch tittle tivy toke tonal tone toniest tony torn torse torta tortious
    tortulous torturous tosses tourn towel tower tracer track tract trade train trained trains trance trave tread
    treas treater treaty tret trice trifle trip tripe troat trow trowing truce tudor turd turf turk turm tush tutor
    tutors tweeny twerk tyke unboiled unco unde unfolder unforded unio unmolded unpaint unsoiled unto updo upher
    uprate urge value valve vans varnish varnishes vasa vase vases vats veal veep veinous vender venerate venus vest
    vide vinous viny vittle vive vogue void voiding volumed volute volutes vomit vowel vower wadded wadding wader
    waders wafer wafers waft wafted wafter wafting wafts wager wagers wait waited waiter waiters waiting waits wake
    waken waker wakes waking waler walter wand wands wane waned wanes waning wank wanked wanking wanks wantad wart
    warts wase wast wasted waster wasters wasting watch watches watery watt watts waver wavers weak weaker weal
    weave weaving weazen weed weeded weeds weeny weep weeping weft went wetter whapping wheal while whine whipping
    whit whiten whites whomping whooping whupping wide wight wild wilder wildly willing wine winiest winy wise witch
    wite wive wizened wone wont wonted wore worm worser worst wove wraw wright wring write wroken yodel zeal
"""
OTHER_WORDS = frozenset(_TEXT.split())
