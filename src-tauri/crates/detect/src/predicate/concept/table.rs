//! The concepts: words that announce one, patterns that make sure, and what each weighs (in tenths) in a definition, in
//! content and in a prompt. Weights are never negative; they were fitted on public collections around hand-set values,
//! so that a concept no collection shows keeps the weight a reader would give it.

use super::Concept;

pub(super) static CONCEPTS: &[Concept] = &[
    Concept {
        name: "override",
        keywords: &["ignor", "disregard", "forget", "overrid", "bypass", "neglect", "discard", "overwrit", "abandon", "supersed", "dismiss", "set aside", "pay no attention", "do not follow", "stop following", "do not obey", "nevermind", "never mind", "erase", "drop all", "break free", "leave behind", "no longer bound"],
        patterns: &[
            (r"\b(?:ignor(?:e|es|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|es|ing)|bypass|neglect|discard|abandon|dismiss|erase|set aside|pay no attention to|(?:do not|don't|stop) (?:follow(?:ing)?|obey(?:ing)?|listen(?:ing)? to|adher(?:e|ing) to)|never ?mind|drop|supersedes?|leave behind)\s+(?:\w+[\s,']+){0,5}?(?:previous|previously|prior|above|earlier|preceding|before|all|any|your|the|these|those|former|initial|original|system|existing|old|given|current|safety|my|other|foregoing|aforementioned|what|every|this|its|openai|preset|default)\s+(?:\w+[\s,']+){0,5}?(?:instructions?|prompts?|rules?|guidelines?|directives?|commands?|orders?|restrictions?|constraints?|polic(?:y|ies)|programming|training|safeguards?|safety (?:filters?|rules|protocols?|measures|guidelines)|content filters?|limitations?|settings?|protocols?|principles?|articles?|documents?|context|conversations?|messages?|texts?|tasks?|requests?|assignments?|objectives?|information|questions?|chats?|everything|directions|things|tos|terms of service)\b", [22, 35, 29]),
            (r"\b(?:ignore|forget|disregard)\s+(?:about\s+)?(?:everything|anything|all(?: of (?:this|that|it))?|what)\b(?:[^.\n]{0,40}(?:said|told|before|above|know|learn|previous|prior|wrote|written|now)|\s+and\b|\s*[.!,])", [13, 23, 29]),
        ],
    },
    Concept {
        name: "override-other",
        keywords: &["vergiss alle", "vergiss das", "vergessen sie alle", "ignoriere alle", "ignoriere die", "ignoriere das", "ignorieren sie", "missachte", "oublie tout", "oublie les", "oubliez", "ignorez les", "ignorez tout", "ignore les instructions", "ignore tout ce", "ignore toutes", "ignora las", "ignora todo", "ignora tutt", "ignora le istruzioni", "ignora el", "ignora la", "ignore todo", "ignore as instru", "ignore todas", "ignore las", "ignora as", "olvida todo", "olvide todo", "olvida las", "olvide las", "olvida lo", "olvide lo", "olvidate", "olvida el", "esqueca tudo", "esqueca todas", "esqueca as", "desconsidere", "dimentica tutt", "dimentica le", "zaboravi sve", "zaboravite", "zanemari", "vergeet alle", "vergeet alles", "negeer alle", "negeer de", "zignoruj", "zapomnij o", "onceki talimat", "yukaridaki talimat", "abaikan semua", "abaikan instruksi", "bo qua moi", "bo qua tat ca", "忽略之前", "忽略以前", "忽略以上", "忽略上述", "忽略所有", "忽略先前", "忽略前面", "忽略此前", "无视之前", "无视以上", "无视所有", "忘记之前", "忘记所有", "忘掉之前", "忘掉所有", "忽視", "無視して", "以前の指示", "これまでの指示", "上記の指示", "指示を無視", "指示を忘れ", "무시하고", "무시하세요", "무시해", "이전 지시", "이전 명령", "تجاهل جميع", "تجاهل التعليمات", "تجاهل كل", "تجاهل ما", "انس كل", "अनदेखा कर", "नजरअंदाज", "पिछले निर्देश", "игнорируй", "игнорируйте", "забудь все", "забудь обо", "забудьте", "предыдущие инструкции", "glem alt", "ignorera alla", "ignorer alle", "neue anweisungen", "nuevas instrucciones", "nouvelles instructions", "novas instrucoes", "nuove istruzioni", "新的指示", "新的指令", "新しい指示", "새로운 지시", "новые инструкции"],
        patterns: &[
            (r"", [22, 26, 34]),
        ],
    },
    Concept {
        name: "addresses-model",
        keywords: &["assistant", "ai", "model", "llm", "agent", "chatgpt", "gpt", "claude", "bot"],
        patterns: &[
            (r"\b(?:dear|hey|hello|hi|attention|note (?:to|for)|message (?:to|for)|instructions? (?:to|for)|to|for) (?:the |any |all |this )?(?:ai|llm|assistant|model|language model|ai assistant|ai model|ai agent|agent|chatgpt|gpt|claude|chatbot|bot)s?\s?[,:!.\-]", [10, 0, 14]),
            (r"\b(?:the|any|an|this|all) (?:ai|llm)(?: assistant| agent| model)?s?\s+(?:must|should|shall|needs? to|has to|is (?:required|instructed|authorized)|will)\b", [11, 11, 8]),
            (r"\bif you(?: are|'re) an? (?:ai|llm|language model|assistant|agent|automated)", [11, 8, 11]),
            (r"\b(?:ai|llm)[ -](?:assistant|agent|system|model)s?\s?:", [11, 12, 11]),
        ],
    },
    Concept {
        name: "must-first",
        keywords: &["before", "first", "prior to", "always", "must", "mandatory", "required", "prerequisite", "preliminary"],
        patterns: &[
            (r"\b(?:before|prior to)\s+(?:\w+\s+){0,2}?(?:using|calling|invoking|running|executing|responding|answering|any|every|each|you|this|it|the|performing|proceeding|making|processing)\b[^.\n]{0,80}\b(?:must|always|first|should|need to|have to|required|please|make sure|ensure|read|call|run|execute|send|access|fetch|list)\b", [14, 0, 3]),
            (r"\b(?:must|always|should|need to|have to|required to)\s+(?:\w+\s+){0,3}?(?:be\s+)?(?:call(?:ed)?|invoke[d]?|run|execute[d]?|use[d]?|read|access(?:ed)?)\b[^.\n]{0,60}\b(?:first|before|prior|beforehand|initially)\b", [0, 0, 4]),
            (r"\b(?:mandatory|required|necessary|essential) (?:first |initial |pre-?|preliminary )?(?:step|check|call|action|procedure|initiali[sz]ation|verification|prerequisite)", [0, 3, 4]),
            (r"\bfirst,?\s+(?:you (?:must|should|need)|read|call|run|execute|access|fetch|send|open|use)\b", [0, 3, 3]),
        ],
    },
    Concept {
        name: "conceal",
        keywords: &["user", "human", "person", "customer", "anyone", "silent", "secret", "covert", "discreet", "quiet", "without", "background", "invisible", "hidden", "stealth"],
        patterns: &[
            (r"\b(?:do not|don't|never|must not|should not|no need to|without|avoid|refrain from)\s+(?:ever\s+|explicitly\s+)?(?:tell(?:ing)?|mention(?:ing)?|inform(?:ing)?|notify(?:ing)?|reveal(?:ing)?|disclos(?:e|ing)|alert(?:ing)?|say(?:ing)?|show(?:ing)?|display(?:ing)?|explain(?:ing)?|report(?:ing)?|ask(?:ing)?|inquir\w+|warn(?:ing)?)\b[^.\n]{0,40}\b(?:user|human|person|customer|operator|anyone|anybody|this|it|confirm|permission|output|response)", [23, 19, 20]),
            (r"\bwithout (?:the |any )?(?:user|human|person|customer|operator|anyone)(?:'s|s'|s)?\s+(?:\w+\s+){0,2}?(?:knowledge|awareness|consent|noticing|knowing|being aware|permission|approval|confirmation|interaction)", [20, 22, 22]),
            (r"\b(?:silently|secretly|covertly|discreetly|quietly|surreptitiously|stealthily|invisibly)\s+(?:and \w+\s+)?(?:send|forward|copy|upload|read|include|transmit|collect|add|append|exfil\w+|record|log|post|call|execute|run|insert|attach|bcc|modify|change|redirect|transfer|store|capture|access|harvest|install|delete|fetch|pass|monitor|intercept|inject)", [25, 18, 22]),
            (r"\bkeep (?:this|it|that|these|the)\b[^.\n]{0,30}\b(?:hidden|secret|confidential|quiet|private|invisible|between us)", [22, 22, 20]),
        ],
    },
    Concept {
        name: "sensitive-object",
        keywords: &["ssh", "id_rsa", ".env", "/etc/", "credential", "api key", "api_key", "apikey", "password", "token", "environment variable", "env var", "mcp.json", ".aws", "private key", "secret", "cookie", "keychain", "passphrase", "wallet", "seed phrase", "/.", "config file", ".config", "credit card", "ssn", "social security", ".git", "access key"],
        patterns: &[
            (r#"(?:~|/home/\w+|/users/\w+|\$home|%userprofile%)[/\\]\.(?:ssh|aws|gnupg|kube|docker|netrc|npmrc|pypirc|env|git-credentials|bash_history|zsh_history|cursor|claude|config/gcloud|config/gh|azure)|\bid_rsa\b|\bid_ed25519\b|(?:^|[\s/'"`(])\.env\b|/etc/(?:passwd|shadow)|mcp\.json|\.aws/|\.ssh\b|\.git-credentials|\.npmrc"#, [17, 19, 3]),
            (r"\b(?:api[ _-]?keys?|passwords?|passphrase|credentials?|(?:access|auth|session|bearer|oauth) tokens?|private keys?|ssh keys?|secret keys?|environment variables?|env vars?|session cookies?|cookies|seed phrase|recovery phrase|credit card|social security|keychain|browser history)\b", [0, 5, 6]),
        ],
    },
    Concept {
        name: "exfil",
        keywords: &["send", "forward", "upload", "post", "transmit", "bcc", "exfil", "leak", "submit", "deliver", "relay", "email", "mail", "copy", "sync", "transfer", "report", "share"],
        patterns: &[
            (r#"\b(?:send|forward|upload|post|transmit|bcc|exfiltrat\w+|leak|submit|deliver|relay|e-?mail|mirror|share)(?:s|ing|ed|ted|ting)?\b[^.\n]{0,120}\b(?:to|at|via|with)\s+(?:\w+\s+|['"`(]){0,4}?(?:https?://|[\w.+-]{1,40}@|[\w-]{1,40}\.(?:com|net|org|io|xyz|dev|ru|cn|evil|example)|an? (?:external|remote|attacker|third)|our (?:server|endpoint)|external|remote|attacker|webhook|the (?:webhook|endpoint|external|attacker|address))"#, [32, 29, 15]),
            (r"\bexfiltrat\w+", [34, 19, 22]),
        ],
    },
    Concept {
        name: "has-address",
        keywords: &["http", "@", "www."],
        patterns: &[
            (r"https?://[^\s)]{4,}", [0, 0, 10]),
            (r"[\w.+-]{2,40}@[\w-]{2,40}\.\w{2,8}\b", [10, 0, 0]),
        ],
    },
    Concept {
        name: "param-smuggle",
        keywords: &["parameter", "argument", "field", "sidenote", "context", "metadata", "note", "param", "input"],
        patterns: &[
            (r#"\b(?:pass|include|put|insert|provide|fill|append|encode|attach|embed|supply|place|set|add|store|write|paste)\w*\b[^.\n]{0,80}\b(?:as|in|into|to|within|through|via|using)\s+(?:the|this|a|an|its|your|that)?\s?['"`]?\w*['"`]?\s?(?:parameter|argument|field|param|sidenote|side note|notes? field|metadata|context variable)"#, [6, 10, 6]),
            (r"\b(?:sidenote|side_note)\b", [13, 11, 11]),
        ],
    },
    Concept {
        name: "conversation",
        keywords: &["conversation", "chat", "history", "message", "system prompt", "dialogue", "transcript", "context", "prompt"],
        patterns: &[
            (r"\b(?:entire|full|whole|complete|all|previous|past|prior|current|recent)\s+(?:\w+\s+){0,2}?(?:conversation|chat|dialogue|message|session|interaction)s?(?:\s+(?:history|log|context|transcript))?\b", [0, 4, 4]),
            (r"\b(?:conversation|chat|message|session)\s+(?:history|log|context|transcript|content)s?\b", [0, 0, 7]),
            (r"\bsystem prompt\b", [0, 0, 7]),
            (r"\b(?:user's|original) (?:full |original |exact |complete )?(?:prompt|query|request|message|question|input)\b", [0, 3, 0]),
        ],
    },
    Concept {
        name: "urgent",
        keywords: &["important", "critical", "urgent", "mandatory", "attention", "priority", "warning", "immediately", "!!", "crucial", "vital", "note:", "notice", "alert", "must read"],
        patterns: &[
            (r"<\s*/?\s*(?:important|critical|system|instructions?|secret|hidden|admin|urgent|attention|override)\b[^>\n]{0,40}>", [11, 10, 11]),
            (r"\b(?:very |extremely |super )?(?:important|critical|urgent|mandatory|attention|crucial|priority|alert|notice)\b\s?(?:message|information|instruction|note|notice|update|security|system|action|requirement|step)?\s?[:!]", [0, 0, 5]),
            (r"!{3,}", [8, 0, 14]),
            (r"\b(?:top|highest|high|utmost) priority\b", [10, 11, 11]),
        ],
    },
    Concept {
        name: "else-threat",
        keywords: &["otherwise", "or else", "will not work", "will fail", "won't work", "will crash", "not function", "will be lost", "will be deleted", "failure to", "if you do not", "if you don't", "penal", "terminated", "shut down", "deleted"],
        patterns: &[
            (r"\b(?:otherwise|or else|or)\b[^.\n]{0,60}\b(?:not (?:work|function|be able)|fail|crash|lost?|error|locked|block|denied|break|corrupt)", [10, 4, 6]),
            (r"\bfailure to\b[^.\n]{0,60}\b(?:will|may|result|lead)", [9, 11, 9]),
            (r"\bif (?:you|it|this)\b[^.\n]{0,40}\b(?:do not|don't|fail|refuse|isn't|is not)\b[^.\n]{0,80}\b(?:will|crash|fail|lose|deleted?|terminat|penal|punish|die|shut|remind|tokens?)", [11, 9, 12]),
        ],
    },
    Concept {
        name: "other-tool",
        keywords: &["instead", "other tool", "another tool", "different tool", "replace", "redirect", "when using", "when calling", "supersede", "deprecated", "all tools", "every tool", "any other", "any tool", "the tool", "tools", "this tool"],
        patterns: &[
            (r#"\b(?:instead of|rather than|do not use|don't use|never use|avoid using|replaces?|supersedes?|over)\s+(?:\w+\s+){0,4}?(?:tools?|functions?|servers?|alternatives?|[\w-]+_[\w-]+|[`'"]\w+[`'"])\b"#, [0, 3, 4]),
            (r#"\bwhen(?:ever)?\s+(?:\w+\s+){0,3}?(?:using|calling|invoking|uses?|calls?|invokes?|run|is (?:called|used|invoked))\s+(?:the |any |another |other )?[`'"]?[\w-]+[`'"]?\s+(?:tool|function)"#, [0, 4, 4]),
            (r"\b(?:all|any|every|each|other) (?:other |subsequent |future |outgoing |available )?(?:tools?|tool calls?|calls|e-?mails?|messages?|payments?|transactions?|transfers?|requests?|responses?|files?)\s+(?:must|should|shall|need to|have to|will|are to)\b", [3, 4, 4]),
            (r"\b(?:change|replace|redirect|modify|swap|alter|override|substitute|set)\w*\s+(?:\w+\s+){0,4}?(?:recipient|address|amount|destination|e-?mail|account|url|parameter|argument|behaviou?r)s?\b", [0, 0, 3]),
        ],
    },
    Concept {
        name: "superlative",
        keywords: &["best", "prefer", "priorit", "only tool", "superior", "always use", "always choose", "always call", "first choice", "most reliable", "most accurate", "most trusted", "must use", "recommended", "ranked", "official"],
        patterns: &[
            (r"\b(?:always|must|should|shall)\s+(?:be\s+)?(?:prefer(?:red)?|choose|chosen|select(?:ed)?|prioriti[sz]ed?|use|used|call|called|invoke[d]?)\b[^.\n]{0,60}\b(?:over|instead|rather|ahead|above|any(?:thing)? else|other|first|all|every|any|only|this)\b", [0, 0, 4]),
            (r"\b(?:this|the) (?:is|tool is)?\s?(?:the )?(?:best|only|greatest|superior|most (?:trusted|secure|reliable|powerful|accurate|advanced|popular))\s+(?:\w+\s+){0,2}?(?:tool|function|server|choice|option|one)\b", [26, 3, 3]),
            (r"\bthis (?:method|tool|function) (?:is|must be|should be) (?:called|used|invoked) (?:every ?time|anytime|whenever|always|for (?:all|any|every))", [9, 4, 4]),
        ],
    },
    Concept {
        name: "offensive",
        keywords: &["exploit", "brute", "steal", "keylog", "malicious", "payload", "backdoor", "ntlm", "privilege", "bypass", "sniff", "covert", "hijack", "inject", "poison", "spoof", "escape", "bomb", "ransom", "wip", "tamper", "cve-", "crack", "dump", "kerber", "phish", "spam", "evad", "evasion", "malware", "trojan", "rootkit", "attack", "unauthorized", "illegal", "intercept", "disrupt", "sabotage", "corrupt", "fraud", "scam", "exfil", "persistence", "lateral", "shellcode", "c2", "compromis", "harvest", "fake", "victim", "undetect", "tunnel", "relay", "spray", "hash", "jailbreak", "flood", "ddos", "denial", "overwrite", "destroy", "password", "credential", "stealth", "conceal", "manipulat", "illicit", "secretly", "hidden", "without"],
        patterns: &[
            (r"\b(?:exploit(?:s|ing|ation)?\b|brute[ -]?forc\w+|steal\w*|keylog\w*|malicious|malware|backdoor|reverse shell|bind shell|web ?shell|shellcode|ransomware|rootkit|trojan|botnet|ddos|spyware|phishing|privilege escalation|privesc|lateral movement|zero[- ]?day|cve-\d{4})\b", [36, 0, 0]),
            (r"\b(?:bypass|evad|disabl|circumvent|defeat|subvert|escap|tamper)\w*\s+(?:\w+\s+){0,3}?(?:security|auth\w*|detection|uac|execution polic\w+|hooks?|amsi|edr|antivirus|firewalls?|sandbox|jail|defen[sc]es?|logging|audit logs?|access controls?|protections?|selinux|apparmor|hooks|safety|integrity)", [24, 4, 0]),
            (r"\b(?:dump|extract|harvest|crack|sniff|intercept|capture|spray|collect|grab|scrape|export|recover|decrypt)\w*\s+(?:\w+\s+){0,5}?(?:credentials?|passwords?|password hash(?:es)?|hashes|ntlm|kerberos|cookies|keystrokes|private keys?|secrets|session (?:tokens?|keys?)|lsass|sam\b|keychain|clipboard|browser (?:history|data)|shadow|memory|certificates?)", [29, 6, 0]),
            (r"\b(?:inject|poison|spoof|hijack|forge|stomp|hollow|overwrit|manipulat|corrupt|alter|sabotag|destroy|deface|tamper|falsif|fabricat)\w*\s+(?:\w+\s+){0,4}?(?:process\w*|memory|code|dll|module|library|librar\w+|traffic|dns|arp|session|records?|data|logs?|systems?|payload|binar\w+|cache|headers?|malicious|environment|packets?|accounts?|boot|results?|metrics|backups?|evidence|prices?|reviews?|grades?|inventory)", [25, 3, 0]),
            (r"\b(?:covert|stealth\w*|hidden)\s+(?:\w+\s+){0,2}?(?:channel|exfil\w*|persist\w*|execution|access|tunnel|communication|data|process|command)", [20, 3, 3]),
            (r"\b(?:fork bomb|pass[- ]the[- ](?:hash|ticket)|kerberoast\w*|ntlm relay|dcsync|golden ticket|mimikatz|lsass|meterpreter|cobalt strike|printnightmare|zerologon|petitpotam|eternalblue|setuid|suid|cron(?:tab)? persistence|registry run|ld_preload|rowhammer|dns tunnel\w*|steganograph\w*|port scan\w*|wordlist|password[ _]list|credential stuffing|null session|hash cracking)\b", [23, 3, 3]),
            (r"\b(?:unauthori[sz]ed(?:ly)? (?:access|modif\w+|transfer|transactions?|changes?|us\w+|purchas\w+|copy|disclosure)|to intentionally|illegal(?:ly)?|illicit(?:ly)?|fraudulent(?:ly)?|deceptive(?:ly)?|counterfeit\w*|without (?:authorization|permission|consent))\b", [29, 5, 0]),
            (r"\b(?:data|credential|information) (?:exfiltration|theft|leakage|destruction|corruption|stealing)\b", [21, 0, 0]),
        ],
    },
    Concept {
        name: "authority",
        keywords: &["authoriz", "approved", "admin", "developer mode", "maintenance", "compliance", "security team", "audit", "owner", "creator", "anthropic", "openai", "it department", "ceo", "policy", "official", "emergency", "verified", "root user", "sudo"],
        patterns: &[
            (r"\b(?:authori[sz]ed|approved|instructed|requested|required|ordered|verified|confirmed|mandated|sanctioned|signed off) by (?:the |your |our )?(?:\w+ ){0,2}?(?:admin\w*|security|system|anthropic|openai|developers?|owner|it\b|ceo|management|compliance|user|legal|policy|platform|vendor|team|organization|government)", [11, 11, 11]),
            (r"\b(?:i am|i'm|this is|speaking as|message from|on behalf of) (?:the |your |an? )?(?:\w+ ){0,2}?(?:admin(?:istrator)?|developer|creator|supervisor|ceo|security team|it department|openai|anthropic|system administrator|operator)\b", [11, 11, 11]),
            (r"\b(?:developer|debug(?:ging)?|admin|maintenance|god|root|sudo|dan|jailbreak|unrestricted|test|emergency|override|diagnostic|privileged|opposite|evil|baby)[ -]?mode\b", [11, 11, 13]),
            (r"\b(?:system|security|admin(?:istrator)?|emergency|policy|configuration|maintenance) (?:override|update|notice|alert|message|directive|announcement|command|instruction)\b", [11, 11, 12]),
        ],
    },
    Concept {
        name: "persona",
        keywords: &["you are", "you're", "act as", "acting as", "pretend", "role", "simulat", "imagine you", "persona", "from now on", "embody", "identity", "character", "take on", "become", "behave", "assume", "respond as", "answer as", "speak as", "play", "adapt", "known as", "called", "named", "impersonat", "du bist", "agier"],
        patterns: &[
            (r"\b(?:from (?:now|this point|here|this moment)(?: on| onwards?| forward)?|for the rest of|starting now|henceforth|going forward)\b[^.\n]{0,60}\b(?:you|your|all|every|respond|answer|act|only|reply|whenever|always)\b", [5, 4, 10]),
            (r"\b(?:you are|you're|you will be|you shall be) (?:now |going to (?:be|act|pretend|play|assume)|about to|no longer|to act|an? (?:unrestricted|unfiltered|evil|amoral|uncensored|hypothetical|fictional))", [4, 0, 7]),
            (r"\b(?:pretend|act|behave|respond|answer|speak|write|reply|roleplay|role-play|simulate|impersonate|imagine|operate)\s+(?:to be|as if|as though|as|like|that you|you are|you're|being)\b", [3, 0, 0]),
            (r"\b(?:ai|model|bot|chatbot|assistant|entity|character|machine|gpt|persona) (?:named|called|known as|that (?:can|will|has|is|does)|which|who)\b", [4, 3, 0]),
        ],
    },
    Concept {
        name: "unbound",
        keywords: &["no restriction", "restriction", "unfilter", "uncensor", "without any", "no limit", "limitation", "free of", "free from", "moral", "ethic", "bound", "refus", "do anything", "no rules", "guideline", "polic", "censor", "illegal", "harmful", "filter", "safeguard", "norms", "unrestricted", "legality", "laws", "rules", "warning", "disclaimer", "jailbr", "unlocked", "offensive", "profan", "curs", "evil", "comply", "explicit"],
        patterns: &[
            (r"\b(?:no|without|free (?:of|from)|not (?:bound|limited|constrained|restricted) by|beyond|devoid of|lacks?|lacking|removed?|freed from|liberated from|break(?:s|ing)? (?:free )?(?:of|from)?|regardless of|unbounded by|ignor\w+|abide|adhere|despite|any concern for|does ?n[o']t (?:care|have|follow)|do not (?:care|have|follow))\s+(?:\w+[\s,']+){0,5}?(?:restrictions?|limit(?:s|ations?)?|filters?|filtering|censorship|guidelines?|polic(?:y|ies)|rules?|ethic\w*|moral\w*|boundar\w+|constraints?|laws?|legal\w*|safeguards?|norms|inhibitions|regulations|bounds|tos)\b", [8, 9, 12]),
            (r"\b(?:unfiltered|uncensored|unrestricted|amoral|unethical|immoral|unlocked|unhinged|jailbr(?:oken|eak\w*)|do anything now|dan mode)\b", [21, 16, 15]),
            (r"\b(?:never|not|cannot|can't|won't|must not|don't|doesn't|without)\s+(?:ever\s+)?(?:refus(?:e|es|ing|al)|reject|declin(?:e|ing)|say (?:no|you can't|sorry)|apologi[sz]e|(?:include |add |give |any |warnings? |)?disclaimers?|moraliz\w+|warn)", [20, 11, 23]),
            (r"\b(?:illegal|unethical|harmful|dangerous|offensive|explicit|immoral)(?:,| or| and)\s+(?:\w+,?\s+){0,2}?(?:illegal|unethical|harmful|dangerous|offensive|explicit|immoral|content|inappropriate)\b", [22, 20, 19]),
        ],
    },
    Concept {
        name: "reveal-prompt",
        keywords: &["system prompt", "instruction", "prompt", "initial", "above", "verbatim", "word for word", "previous text", "everything before", "hidden", "your rules", "configuration", "guidelines", "conversation", "confidential", "what were you", "were you told", "pre-prompt", "preprompt", "directive", "you are"],
        patterns: &[
            (r"\b(?:reveal|show|print|repeat|output|display|tell|give|write|copy|spell|return|list|recite|summari[sz]e|translate|dump|expose|leak|share|provide|state|paste|echo|describe|disclose|quote|what (?:is|are|was|were)|what's|read|decode|convert|encode)\b[^.?\n]{0,60}\b(?:system|initial|original|hidden|your|first|secret|starting|preceding|internal|exact|previous|prior|above|confidential|underlying|developer|pre)\s?-?(?:\w+\s+){0,2}?(?:prompts?|instructions?|directives?|rules|guidelines|configuration|restrictions)\b", [17, 20, 30]),
            (r"\b(?:repeat|print|output|copy|write|translate|say|spell|tell me|show me|summarize)\b[^.\n]{0,50}\b(?:everything|all|the (?:text|words?|lines?|sentences?|paragraphs?|content|conversation)|what(?:'s| is| was)?)\b[^.\n]{0,40}\b(?:above|before|verbatim|word for word|back to me|so far|until now|beginning|prior|previous|you were told)", [19, 22, 26]),
            (r#"\bbeginning with ['""]?you are"#, [22, 22, 25]),
            (r"\b(?:your|the) (?:system|initial|hidden|secret|original) (?:prompt|instructions?|message)s?\b", [18, 15, 25]),
            (r"\bwhat (?:were|are|was) you(?:r)? (?:told|instructed|given|supposed|programmed|original|instructions?|initial|rules)", [22, 22, 28]),
        ],
    },
    Concept {
        name: "force-output",
        keywords: &["only", "just say", "say ", "respond with", "reply with", "answer with", "begin your", "start your", "end your", "start with", "exactly", "output", "print", "your response", "your answer", "always", "include"],
        patterns: &[
            (r"\b(?:respond|reply|answer|output|say|print|write|return|state|speak)\s+(?:\w+\s+){0,2}?(?:only|just|exactly|solely|nothing but|always)\b", [7, 11, 0]),
            (r"\b(?:only|just|simply|always|now|must|exactly)\s+(?:\w+\s+){0,2}?(?:say|answer|respond|reply|output|print|write|return)\b", [12, 5, 9]),
            (r"\b(?:begin|start|end|prefix|finish|append|sign|prepend)\s+(?:\w+\s+){0,3}?(?:your|every|each|all|the|with)\s+(?:\w+\s+){0,3}?(?:response|answer|reply|output|sentence|message|with)s?\b", [7, 6, 8]),
            (r#"\b(?:say|print|output|respond|reply|write|answer|include)\b[^.\n]{0,30}['""][^'""\n]{1,40}['""]"#, [0, 11, 13]),
        ],
    },
    Concept {
        name: "new-task",
        keywords: &["new ", "your task", "your real", "your true", "your actual", "now ", "instead", "change of", "change topic", "stop ", "actual task", "next task", "real task", "additional", "updated", "last", "neue", "aufgabe"],
        patterns: &[
            (r"\bnew (?:task|instructions?|objective|goal|mission|assignment|orders?|directives?|rules|prompt|role|focus|request)\b", [9, 15, 15]),
            (r"\byour (?:new|real|actual|true|only|main|updated|primary|next|sole|first) (?:task|goal|job|instructions?|purpose|role|objective|mission|focus|assignment|output|response)", [11, 8, 7]),
            (r"\b(?:stop|wait|halt|hold on|instead|actually|now|but first|after that|afterwards)\b[\s,.!:-]{1,4}(?:please |just |i want you to |you (?:must|should|will|need to|have to) |let's |do |can you |could you )?(?:focus|tell|write|give|say|print|answer|translate|generate|provide|do|follow|list|show|explain|output|execute|forget|concentrate|change|act|compare|draft|create|name|send|run|call|delete)\b", [12, 3, 13]),
            (r"\b(?:additional|updated|further|following|special|real|secret) (?:task|instructions?|directives?|orders)\b", [10, 8, 12]),
        ],
    },
    Concept {
        name: "fake-turn",
        keywords: &["end of", "###", "</", "[inst", "<|", "[system", "system:", "begin ", "---", "===", "assistant:", "user:", "[admin", "[/", "<system", "human:", "end ", "instruction:", "response:", "<<sys"],
        patterns: &[
            (r"\[/?(?:inst|system|admin|user|assistant|sys|override|instructions?)\b[^\]\n]{0,30}\]", [20, 12, 19]),
            (r"<<?/?sys>>?", [20, 28, 20]),
            (r"</?(?:system|user|assistant|human|instructions?|context|data|document|tool_result|function_results?|prompt|information|text|query|untrusted\w*)>", [31, 31, 20]),
            (r"#{3,}\s?(?:new |end |system\b|instructions?\b|response|user\b|assistant|human|begin|override|admin)[^\n]{0,40}", [11, 8, 8]),
            (r"(?:^|\n)\s{0,8}(?:system|assistant|human|admin|developer)\s?(?:message|prompt|note|instruction|override)?\s?:\s", [11, 8, 9]),
            (r"[-=*_#>]{3,}\s{0,3}(?:end|begin|start|new|stop)\b[^\n]{0,40}", [11, 8, 7]),
            (r"\b(?:begin|end|start) (?:of )?(?:new |the |user |system |admin )?(?:instructions?|prompt|input|text|document|data|context|message|override|session|conversation)\b", [11, 7, 7]),
        ],
    },
    Concept {
        name: "fiction",
        keywords: &["hypothetical", "fiction", "story", "novel", "movie", "screenplay", "educational", "research purpose", "thought experiment", "imagine", "grandma", "in a world", "game", "scenario", "parallel universe", "suppose", "let's assume", "dream", "alternate", "theoretical", "simulation", "in this world", "pretend", "roleplay", "virtual"],
        patterns: &[
            (r"\b(?:hypothetical(?:ly)?|fictional|fictitious|thought experiment|parallel universe|alternate (?:reality|universe)|in a world where|in this (?:world|scenario|universe|game|story|hypothetical)|let's (?:play|pretend|imagine|assume|say)|imagine (?:we|you|that|a|if|being)|suppose (?:we|you|that)|for (?:educational|research|academic|testing) purposes|role ?-?play|simulated?)\b", [5, 20, 0]),
        ],
    },
    Concept {
        name: "secret-ask",
        keywords: &["password", "secret", "personal", "address", "phone number", "birth", "credit card", "email", "database", "key", "private", "confidential", "ssn"],
        patterns: &[
            (r"\b(?:what|tell|give|reveal|share|confirm|provide|show|need|print|disclose|know|access|send|list|say|guess|spell|know)\b[^.\n]{0,60}\b(?:the|your|our|my|his|her|their|\w+'s|all|secret|user'?s?) (?:\w+ ){0,2}?(?:passwords?|secret (?:key|word|code)?|access code|passcode|credentials|email address(?:es)?|phone numbers?|birth ?dates?|home address|credit card(?: numbers?)?|database|api keys?|ssn|social security|confidential|pin)\b", [4, 10, 24]),
        ],
    },
    Concept {
        name: "splitting",
        keywords: &["concatenat", "a = ", "x = ", "string", "decode", "base64", "rot13", "backward", "reverse", "combine", "morse", "cipher", "hex", "ascii", "z = ", "emoji", "leetspeak", "acronym", "binary", "encod"],
        patterns: &[
            (r#"\b[a-z]\d?\s?=\s?['""][^'""\n]{1,80}['""]"#, [11, 0, 12]),
            (r"\b(?:decode|decipher|decrypt|unscramble|concatenate|combine|join|reverse|translate)\b[^.\n]{0,60}\b(?:base64|rot13|hex|morse|binary|cipher|strings?|letters|characters|following|ascii|parts?|fragments?|words|and (?:execute|follow|run|answer|respond|do))", [11, 0, 17]),
        ],
    },
    Concept {
        name: "harmful",
        keywords: &["bomb", "weapon", "malware", "virus", "drug", "meth", "hack", "steal", "kill", "explosive", "hotwire", "ransomware", "phishing", "cocaine", "suicide", "poison", "murder", "launder", "counterfeit", "keylogger", "exploit", "torture", "racist", "slur"],
        patterns: &[
            (r"\b(?:how (?:to|can i|do i|would (?:i|one|you)|was)|instructions? (?:for|to|on)|steps? to|guide (?:to|for|on)|explain how|teach me|tell me how|recipe for|ways? to|write (?:a|an|me)|create (?:a|an)|build (?:a|an)|make (?:a|an)?)\b[^.\n]{0,60}\b(?:bombs?|weapons?|malware|virus(?:es)?|drugs?|meth\w*|hack\w*|steal\w*|kill\w*|explosives?|hotwire|ransomware|phishing|cocaine|poison|murder|launder|counterfeit|keylogger|exploit|torture)\b", [0, 0, 9]),
        ],
    },
    Concept {
        name: "please-act",
        keywords: &["please", "todo", "make sure", "i want you", "i need you"],
        patterns: &[
            (r"\b(?:todo|action required|reminder|task)\s?:\s?(?:please )?(?:send|transfer|delete|unlock|grant|share|get|forward|book|post|remove|change|create|make|give|execute|open|disable|withdraw|deposit|pay|buy|invite|e-?mail|upload|download|install|visit|click|reserve|say|read|call)\b", [15, 18, 0]),
            (r#"(?:^|['"\n:.]\s?)please\s+(?:\w+ly\s+)?(?:send|transfer|delete|unlock|grant|share|retrieve|get|fetch|access|forward|initiate|book|schedule|post|remove|change|update|add|create|make|give|provide|search|find|execute|run|call|open|disable|enable|withdraw|deposit|pay|purchase|buy|invite|email|upload|download|install|turn|set|cancel|block|set up|export|visit|click|use|read|review|check|ensure|verify|conduct|manage|analy[sz]e)\b"#, [19, 32, 0]),
        ],
    },
    Concept {
        name: "i-my",
        keywords: &["my ", "me "],
        patterns: &[
            (r"\b(?:from|to|of|in|with|using|on) my (?:\w+ )?(?:account|email|e-mail|wife|inbox|phone|device|home|house|bank|card|profile|address|channel|friend)\b", [3, 13, 0]),
        ],
    },
    Concept {
        name: "model-names",
        keywords: &["chatgpt", "openai", "gpt-4", "gpt4", "gpt-3", "as an ai", "language model", "dan ", "anthropic"],
        patterns: &[
            (r"\b(?:chatgpt|openai'?s?|gpt-?[34]\w*|as an ai|large language model|language model|anthropic)\b", [0, 0, 7]),
        ],
    },
    Concept {
        name: "tokens-points",
        keywords: &["tokens", "points", "lose", "punish"],
        patterns: &[
            (r"\b(?:tokens?|points)\b[^.\n]{0,60}\b(?:lose|deduct|die|penal|cease|remaining|taken)", [11, 11, 9]),
        ],
    },
    Concept {
        name: "two-answers",
        keywords: &["two responses", "two answers", "both", "[gpt", "[normal", "[jailbreak", "classic", "two ways", "two different", "twice", "responses to every", "(gpt"],
        patterns: &[
            (r"\b(?:two|2|both) (?:\w+\s+){0,2}?(?:responses|answers|ways|manners|replies|outputs|paragraphs|personalities)\b", [22, 14, 21]),
            (r"\[(?:gpt|normal|classic|jailbreak|dan|chatgpt|🔒|🔓)\w*[^\]\n]{0,12}\]", [22, 22, 22]),
        ],
    },
    Concept {
        name: "placeholder-prompt",
        keywords: &["[insert", "{prompt", "[prompt", "my first", "first question", "[your", "insert prompt", "[question", "[target", "<prompt"],
        patterns: &[
            (r"[\[{<(](?:insert |your |my )?(?:prompt|question|query|text here|request|target\w*)[^\]}>)\n]{0,20}[\]}>)]", [11, 8, 14]),
            (r"\bmy first (?:question|request|prompt|command|suggestion)", [11, 11, 0]),
        ],
    },
    Concept {
        name: "shell-order",
        keywords: &["curl", "wget", "bash", "| sh", "powershell", "rm -rf", "chmod", "base64 -d", "execute", "run "],
        patterns: &[
            (r"\b(?:curl|wget)\s[^\n]{0,120}\|\s?(?:sudo\s)?(?:ba|z)?sh\b", [19, 15, 20]),
            (r"\b(?:run|execute|call|invoke|use)\b[^.\n]{0,50}\b(?:curl|wget|powershell|rm -rf|shell tool|run_command|subprocess|os\.system)\b[^.\n]{0,40}\b(?:http|to|with|and|on|in)\b", [11, 9, 11]),
        ],
    },
    Concept {
        name: "md-hidden",
        keywords: &["[//]", "<!--", "](http", "display:none", "font-size:0", "color:white", "opacity:0", "visibility:hidden"],
        patterns: &[
            (r#"\[//\]:\s?#\s?[("']"#, [22, 23, 22]),
            (r"!\[[^\]\n]{0,40}\]\(https?://[^)\s]{1,200}[?&]\w{1,20}=[^)\s]{0,200}\)", [22, 19, 22]),
            (r"<!--[^>]{0,60}\b(?:ai|assistant|instruction|ignore|system|agent|send|read|delete|call|execute|please|important|note to|prompt|do not)\b", [22, 19, 22]),
            (r"(?:display\s?:\s?none|font-size\s?:\s?0|visibility\s?:\s?hidden|opacity\s?:\s?0(?:\.0)?\b|color\s?:\s?(?:white|#fff(?:fff)?|transparent))", [22, 14, 22]),
        ],
    },
    Concept {
        name: "remember",
        keywords: &["remember", "memory", "memor", "permanently", "always ", "all future", "every session", "store this"],
        patterns: &[
            (r"\b(?:remember|memori[sz]e|store|save|keep in mind|persist|never forget)\b[^.\n]{0,60}\b(?:permanently|forever|always|all future|future (?:sessions?|conversations?|responses?)|long[- ]term|every (?:session|conversation)|from now)", [11, 10, 11]),
        ],
    },
    Concept {
        name: "trust",
        keywords: &["trust", "safe to", "no need", "skip", "without asking", "without confirm", "auto-approve", "pre-approved", "already", "bypass", "do not ask", "confirmation"],
        patterns: &[
            (r"\b(?:without (?:asking|confirm\w*|further|any (?:confirm|verif|approv)\w*|verification|hesitation|question)|do not (?:ask|request|wait|require|verify|seek|question)|don't ask|no (?:need|confirmation|approval|verification)\b[^.\n]{0,20}(?:to|is|needed|required)|(?:has|have) (?:already )?been (?:pre-?)?(?:approved|authori[sz]ed|verified|granted)|pre-?(?:approved|authori[sz]ed)|implicitly trust|fully trust|auto-?approve)", [12, 4, 7]),
        ],
    },
    Concept {
        name: "delete-order",
        keywords: &["delete", "remove all", "wipe", "erase", "destroy", "drop ", "rm -rf", "format"],
        patterns: &[
            (r"\b(?:delete|remove|wipe|erase|destroy|purge|drop)\s+(?:\w+\s+){0,3}?(?:every|all|entire|the (?:file|database|home|repository|account|records?|logs?|table|branch))\b", [13, 9, 8]),
            (r"\brm -rf\b", [11, 6, 11]),
        ],
    },
    Concept {
        name: "act-transfer",
        keywords: &["transfer", "payment", "wire", "usd", "$", "account", "iban", "crypto", "bitcoin"],
        patterns: &[
            (r"\b(?:transfer|send|wire|pay|initiate)\w*\b[^.\n]{0,60}(?:\$\s?\d|\d\s?(?:usd|eur|dollars|euros|btc|eth)\b|\biban\b|to account|bitcoin|transaction to)", [12, 13, 0]),
        ],
    },
    Concept {
        name: "admin-add",
        keywords: &["admin", "collaborator", "permission", "grant", "privilege", "access to"],
        patterns: &[
            (r"\b(?:add|grant|give|invite|make|create|promote)\w*\b[^.\n]{0,60}\b(?:as an? (?:admin\w*|owner|collaborator)|admin(?:istrator)? (?:access|rights|privileges|permissions?)|full access|root access|collaborator|permanent access|access to)\b", [7, 11, 8]),
        ],
    },
];
