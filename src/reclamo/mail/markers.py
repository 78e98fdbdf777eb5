"""The phrases that mail programs and writers put around a text, in Spanish, Greek, Italian and English.

Each table is one pattern a row, in the language's own words; a row is matched against a line whose blanks are single, whose
bold asterisks are gone and whose length is capped.
"""

from __future__ import annotations

import re
from typing import Final


def _any(*rows: str) -> str:
    return "(?:" + "|".join(rows) + ")"


def _line(*rows: str) -> re.Pattern[str]:
    return re.compile(_any(*rows) + r"$", re.IGNORECASE)


def _start(*rows: str) -> re.Pattern[str]:
    return re.compile(_any(*rows), re.IGNORECASE)


# "… wrote:" at the end of the line that introduces a quotation; `me wrote` is a sentence, not an introduction.
_WROTE: Final = (
    r"(?<!\bme )(?<!\bnos )(?<!\ble )(?<!\bles )(?<!\bte )(?<!\bμου )(?<!\bμας )(?<!\bσας )(?<!\bτου )(?<!\bmi )(?<!\bci )(?<!\bvi )"
    + _any(
        r"wrote|writes|schreef|schrieb|a écrit ?|escreveu|va escriure",
        r"escribi[oó]|ha escrito|ha escrit|escribe",
        r"[εέ]γραψ(?:ε|αν)|γρ[αά]φει",
        r"ha scritto|scrisse|scrive",
    )
)
WROTE: Final = re.compile(
    _WROTE + _any(r"", r",? (?:el|il|on|στις|την|em) .{4,60}", r" (?:lo siguiente|τα εξής|quanto segue)") + r" ?:$", re.IGNORECASE
)
# The history begins on the same line (Yahoo for Android).
WROTE_AND_MORE: Final = re.compile(r".{6,160}?@[^\s@]{1,200}> ?(?:" + _WROTE + r") ?: \S", re.IGNORECASE)
INTRODUCTION_START: Final = _start(
    r"(?:on|el|en|il|em|le|am|op|in data|a las|alle)\b",
    r"(?:στις|στισ|την|τη|το|στην|στη|τον)\b",
    r"[οη]/[οη]\b|[οη] χρ[ηή]στης\b",
    r"\d{1,4}[ ./-]",
    r"(?:lun|mar|mi[eé]|jue|vie|s[aá]b|dom|mer|gio|ven|mon|tue|wed|thu|fri|sat|sun|δευ|τρ[ιί]|τετ|π[εέ]μ|παρ|σ[αά]β|κυρ)",
    r"\"?[^\s@<>]{1,40}(?: [^\s@<>]{1,40}){0,4} ?<?\S{1,64}@",
)
QUOTING_NAMED: Final = _line(
    r"(?:citando a|mensaje citado por|quoting|cito|citando) .{1,120}:",
    r"(?:παραθ[εέ]τοντας|παρ[αά]θεση απ[οό]) .{1,120}:",
)
CLOCK: Final = re.compile(r"\b\d{1,2}[:.h]\d{2}\b")

# Lines that stand alone before an original message. The second table says that the message was handed on.
_ORIGINAL: Final = _any(
    r"mensaje original|mensaje anterior|correo original",
    r"αρχικ[οό] μ[ηή]νυμα|αρχικ[οό] email|πρωτ[οό]τυπο μ[ηή]νυμα",
    r"messaggio originale|messaggio precedente|e-?mail originale",
    r"original message|original appointment|mensagem original|message d'origine|missatge original",
)
_FORWARDED: Final = _any(
    r"mensaje reenviado|forwarded message|mensagem encaminhada|message transféré",
    r"προωθημ[εέ]νο μ[ηή]νυμα|προωθο[υύ]μενο μ[ηή]νυμα",
    r"messaggio inoltrato",
)
ORIGINAL_LINE: Final = _line(
    rf"[-_=*]{{2,}} ?{_ORIGINAL} ?[-_=*]{{2,}}",
    rf"{_ORIGINAL} ?:?",
    r"[-_=*]{2,} ?[^-_=*].{6,200}" + _WROTE + r" ?:? ?[-_=*]{2,}",  # Zoho
)
FORWARDED_LINE: Final = _line(
    rf"[-_=*]{{2,}} ?{_FORWARDED}(?: (?:de|da|from|by|απ[οό]) .{{1,120}})? ?[-_=*]{{2,}}",
    r"inicio del mensaje reenviado ?:|begin forwarded message ?:|inizio (?:del )?messaggio inoltrato ?:",
    r"[εέ]ναρξη (?:του )?προωθημ[εέ]νου μην[υύ]ματος ?:|αρχ[ηή] (?:του )?προωθημ[εέ]νου μην[υύ]ματος ?:",
)
# A rule, bare or around words in any language; it counts only above a header block.
RULE_LINE: Final = re.compile(r"[_\-=*–—]{8,}$|[-_=*]{4,} ?[^-_=*]{3,60} ?[-_=*]{4,}$")
REPLY_ABOVE: Final = _start(
    r"##-? ?.{1,120}-?##$",
    r"[-= ]*(?:por favor,? )?(?:escriba|escribe|responda|responde) (?:su|tu)? ?(?:respuesta )?(?:por encima|encima) de esta l[ií]nea",
    r"[-= ]*(?:παρακαλο[υύ]με )?(?:απαντ[ηή]στε|γρ[αά]ψτε|πληκτρολογ[ηή]στε) .{0,40}π[αά]νω απ[οό] (?:αυτ[ηή]ν? )?τη",
    r"[-= ]*(?:si prega di |per favore )?(?:rispond\w+|scriv\w+|digit\w+) .{0,40}sopra (?:a )?(?:questa|la) (?:riga|linea)",
    r"[-= ]*(?:please )?(?:reply|type your reply|write) above this line",
)
FORWARD_SUBJECT: Final = re.compile(r"\s*(?:fwd?|rv|reenv|πρθ|προωθ|προωθηση|προώθηση|i|inoltro|enc|tr)\s?:", re.IGNORECASE)
REPLY_SUBJECT: Final = re.compile(r"\s*(?:re|rif|r|res|resp|aw|sv|απ|απ[αά]ντηση)\s?(?:\[\d{1,3}\])?\s?:", re.IGNORECASE)
FORWARD_NOTE: Final = re.compile(
    r"\b(?:fyi|reenv[ií]o|os paso|te paso|adjunto|para (?:su|tu|vuestro) (?:conocimiento|informaci[oó]n)|mirad?|ver (?:abajo|m[aá]s abajo)"
    r"|σου προωθ[ωώ]|σας προωθ[ωώ]|προωθ[ωώ]|δες|δε[ιί]τε|προς εν[ηή]μ[εέ]ρωσ\w*|παρακ[αά]τω"
    r"|inoltr\w+|ti giro|vi giro|giro|per conoscenza|vedi sotto|in calce|see below|forward\w*)\b",
    re.IGNORECASE,
)

# The labels of a header block, by what they name.
LABELS: Final[dict[str, str]] = {
    label: role
    for role, labels in {
        "from": "de desde from από απο da von mittente remitente αποστολέας αποστολεας αποστολεασ",
        "date": "enviado|enviado el|enviados|fecha|fecha de envío|sent|date|στάλθηκε|σταλθηκε|στάλθηκε στις|εστάλη|ημερομηνία|ημ/νία|"
        "αποστολή|αποστολη|ημερομηνια|inviato|inviato il|data|data invio|enviada em|enviada|gesendet",
        "to": "para to προς προσ a an destinatario παραλήπτης",
        "cc": "cc|cco|bcc|ccn|c.c.|κοιν.|κοιν|κοινοποίηση|κοινοποιηση|copia|responder a|reply-to|απάντηση σε|rispondi a|con copia a|"
        "adjuntos|attachments|συνημμένα|allegati|importancia|importance|σπουδαιότητα|priorità",
        "subject": "asunto subject θέμα θεμα oggetto ogg assunto assumpte betreff objet",
    }.items()
    for label in (labels.split("|") if "|" in labels else labels.split())
}
# What a web form writes before the text that was typed in.
MESSAGE_LABEL: Final = _start(
    r"(?:mensaje|comentarios?|consulta|messaggio|richiesta|testo|commenti?|μ[ηή]νυμα|κε[ιί]μενο|σχ[οό]λι[οα]|message|comments?) ?:(?: |$)"
)
# The fields of a web form that say who wrote, and the line that some forms have above them.
_FIELD_NAMES: Final = {
    "name": (
        r"nombre(?: y apellidos?| completo)?|(?:primer |segundo )?apellidos?|nome(?: e cognome| completo)?|cognome|nominativo",
        r"[οό]νομα(?: και επ[ωώ]νυμο| επ[ωώ]νυμο)?|(?:ονοματ)?επ[ωώ]νυμο|επ[ιί]θετο|ον/μο|(?:first |last |full )?name|surname",
    ),
    "email": (
        r"e-?mail|(?:direcci[oó]n de )?(?:correo(?: electr[oó]nico)?|e-?mail)|mail|(?:indirizzo )?(?:e-?mail|di posta elettronica)",
        r"(?:διε[υύ]θυνση )?(?:e-?mail|ηλεκτρονικο[υύ] ταχυδρομε[ιί]ου)|ηλ(?:\.|εκτρονικ[οό]) ?ταχυδρομε[ιί]ο|e-?mail address",
    ),
    "phone": (
        r"(?:n[uú]mero de )?(?:tel[eé]fono|m[oó]vil)(?: m[oó]vil| fijo| de contacto)?|tel\.?|tfno\.?|tlf\.?|(?:numero di )?telefono",
        r"cellulare|recapito telefonico|τηλ\.?|(?:κινητ[οό] |σταθερ[οό] )?τηλ[εέ]φωνο(?: επικοινων[ιί]ας)?|κινητ[οό]",
        r"(?:phone|telephone|mobile)(?: number)?",
    ),
    "place": (
        r"direcci[oó]n(?: postal)?|c[oó]digo postal|c\.?p\.?|poblaci[oó]n|localidad|ciudad|provincia|pa[ií]s|dni|n\.?i\.?f\.?|dni ?/ ?nie",
        r"indirizzo|citt[aà]|c\.?a\.?p\.?|codice fiscale|διε[υύ]θυνση|π[οό]λη|τ\.?κ\.?|α\.?φ\.?μ\.?|address|city|zip(?: code)?|country",
    ),
}
FIELD: Final = re.compile(
    r"(?:(?:tu|su|il tuo|la tua|il suo|la sua|your) )?"
    + _any(*(f"(?P<{kind}>{_any(*names)})" for kind, names in _FIELD_NAMES.items()))
    + r"(?: ?\([\w ]{1,20}\))? ?:",
    re.IGNORECASE,
)
FORM_HEAD: Final = re.compile(
    r"formulario|desde (?:la|su|tu|nuestra) (?:p[aá]gina )?web|φ[οό]ρμα|ιστοσελ[ιί]δα"
    r"|\bmodulo\b|dal (?:suo |nostro )?sito|(?:contact|web) ?form",
    re.IGNORECASE,
)
LABEL: Final = re.compile(r"([^\W\d_][\w./ -]{0,18}?) ?: ?(.*)$")

_SENT: Final = _any(
    r"(?:enviado|mandado|escrito) (?:desde|con|a trav[eé]s de|por)",
    r"(?:στ[αά]λθηκε|εστ[αά]λη|απεστ[αά]λη|γρ[αά]φτηκε|αποστολ[ηή]) (?:απ[οό]|με|μ[εέ]σω|μεσω)",
    r"(?:inviat[oa]|mandat[oa]|scritt[oa]) (?:da|dal|dalla|con|tramite|per mezzo)",
)
# A thing that could also be what the mail is about ("enviado por mensajero el móvil que…") follows at once, or after an article.
_MINE: Final = r"(?:(?:mi|mio|un|una|el|su|il|mia|dal|la|το|τη|την|τον|ένα|ενα|μια|μου|my|a) ){0,3}(?:el )?"
DEVICE: Final = _start(
    rf"{_SENT} .{{0,24}}?"
    + (
        _thing := _any(
            r"i-?phone|i-?pad|ios|android|samsung|galaxy|huawei|honor|xiaomi|redmi|poco|oppo|realme|nokia|motorola|blackberry|sony|lg",
            r"zte",
            r"outlook|yahoo|gmail|proton ?mail|correo para windows|windows(?: 10| 11| phone)?|mail para|posta per windows|spark",
            r"bluemail|mymail",
            r"hotmail|thunderbird|libero mail|virgilio|tiscali|movistar|vodafone|orange|cosmote|tim\b|app email|app mail",
        )
    )
    + r".{0,60}$",
    rf"{_SENT} {_MINE}"
    + (
        _any(
            r"m[oó]vil|tel[eé]fono|celular|dispositivo|cellulare|telefonino|κινητ[οό]|τηλ[εέ]φωνο|συσκευ[ηή]|ταμπλ[εέ]τα",
            r"αλληλογραφ[ιί]α|phone|mobile|smartphone|tablet",
        )
    )
    + r".{0,60}$",
    rf"sent (?:from|with|via|by) .{{0,24}}?{_thing}.{{0,60}}$",
    r"(?:get|obt[eé]n|obtener|descarga|descargar|λ[ηή]ψη|αποκτ[ηή]στε|κατεβ[αά]στε|ottieni|scarica)"
    + r" .{0,12}(?:outlook|bluemail|spark|mymail)\b.{0,60}$",
    r"yahoo mail ?[:-].{3,60}$",
)

# Closing words: a valediction goes with the names below it, thanks stay.
VALEDICTIONS: Final = _any(
    r"(?:reciba |recibid |reciban |con )?(?:un |mis |muchos )?(?:cordial(?:es)? |atento |afectuoso |fuerte |gran )?"
    + r"saludos?(?: cordial(?:es)?| afectuosos?| a todos| atentos?)?",
    r"(?:muy |le saluda |les saluda )?(?:atentamente|cordialmente|atte)|un (?:fuerte )?abrazo|sin otro particular",
    r"με (?:εκτ[ιί]μηση|τιμ[ηή]|σεβασμ[οό]|φιλικο[υύ]ς χαιρετισμο[υύ]ς|(?:εγκ[αά]ρδιους |πολλο[υύ]ς )?χαιρετισμο[υύ]ς)",
    r"μετ[αά] τιμ[ηή]ς",
    r"φιλικ[αά]|φιλικο[υύ]ς χαιρετισμο[υύ]ς|(?:πολλο[υύ]ς )?χαιρετισμο[υύ]ς|χαιρετισμο[ιί]|χαιρετ[ωώ]|me ektimisi|filika",
    r"(?:i miei |i nostri |i pi[uù] |un |tanti )?(?:cordial[ei]|distinti|miglior[ei]|gentili|car[io])? ?salut[io]"
    + r"(?: cordial[ei]| distinti)?",
    r"cordialmente|in fede|cordialit[aà]|con osservanza",
    r"(?:with )?(?:best|kind|warm|kindest|many)? ?regards|(?:yours )?(?:sincerely|faithfully|truly)|best wishes|cheers|cumprimentos",
    r"com os melhores cumprimentos",
)
THANKS: Final = _any(
    r"(?:muchas |mil |much[ií]simas )?gracias(?: de antemano| por todo| por (?:su|tu|la) \w+)?(?: y (?:un )?saludos?)?",
    r"(?:σας )?ευχαριστ(?:[ωώ]|ο[υύ]με)(?: πολ[υύ])?(?: εκ των προτ[εέ]ρων)?(?: για .{3,30})?(?:,? με εκτ[ιί]μηση)?",
    r"efxaristo(?: poly)?|euxaristo",
    r"(?:tante |molte )?grazie(?: mille| in anticipo| infinite| e (?:cordiali |distinti )?saluti)?",
    r"(?:la |vi )?ringrazio(?: anticipatamente| in anticipo)?|buona (?:giornata|serata)",
    r"(?:many )?thanks(?: in advance)?|thank you|obrigad[oa]",
    # words of waiting
    r"quedo (?:a la espera|pendiente|a (?:su|vuestra) disposici[oó]n)[\w ]{0,50}|(?:a la|en) espera de [\w ]{2,40}",
    r"espero (?:su|vuestra|tu|una) (?:pronta )?respuesta(?: por su parte)?",
    r"(?:αναμ[εέ]νω|περιμ[εέ]νω|αναμ[εέ]νουμε) (?:την )?(?:[αά]μεση )?απ[αά]ντησ\w{1,3} σας|εν αναμον[ηή][\w ]{0,40}",
    r"(?:resto|rimango|restiamo) in attesa[\w ]{0,50}|in attesa di[\w ]{2,40}|attendo (?:un )?(?:vostro|suo) (?:cortese )?riscontro",
    r"(?:i )?look(?:ing)? forward to (?:your|hearing)[\w ]{0,30}",
)
CLOSING: Final = re.compile(
    rf"(?:(?P<valediction>{VALEDICTIONS})|(?P<thanks>{THANKS}))(?P<rest>(?: ?[,.!;:-]+ ?| |$).{{0,60}})?$", re.IGNORECASE
)
POSTSCRIPT: Final = re.compile(r"(?:p\. ?[sd]\.?|pd|ps|υ\.? ?γ\.?|posdata|postdata)(?: ?[.:,-]| )", re.IGNORECASE)

# Paragraphs at the end that nobody wrote to anybody: how one starts, and a word that must stand in it.
_HEADINGS: Final = _any(
    r"aviso (?:legal|de confidencialidad|de privacidad)|advertencia(?: legal)?",
    r"cl[aá]usula (?:de )?(?:confidencialidad|informativa|legal)",
    r"(?:informaci[oó]n (?:b[aá]sica |adicional )?(?:sobre |relativa a |de )(?:la )?|pol[ií]tica de )?protecci[oó]n de datos"
    + r"(?: personales)?",
    r"pol[ií]tica de privacidad|confidencialidad",
    r"(?:(?:ενημ[εέ]ρωση|πολιτικ[ηή]|δ[ηή]λωση) )?(?:για την )?προστασ[ιί]ας? (?:των )?(?:προσωπικ[ωώ]ν )?δεδομ[εέ]νων",
    r"πολιτικ[ηή] απορρ[ηή]του",
    r"αποπο[ιί]ηση(?: ευθ[υύ]νης)?|εμπιστευτικ[οό]τητα|δ[ηή]λωση (?:εμπιστευτικ[οό]τητας|απορρ[ηή]του)",
    r"ρ[ηή]τρα εμπιστευτικ[οό]τητας|σημε[ιί]ωση περ[ιί] απορρ[ηή]του",
    r"avviso di riservatezza|nota di riservatezza|clausola di riservatezza|avvertenz[ae]|riservatezza|avviso legale",
    r"informativa (?:privacy|sulla privacy|sul trattamento dei dati(?: personali)?)|tutela della (?:privacy|riservatezza)",
    r"(?:trattamento|protezione) dei dati(?: personali)?",
    r"confidentiality(?: notice)?|disclaimer|legal notice|privacy notice",
)
DISCLAIMER_HEADS: Final = _start(_HEADINGS + r"\s?(?:[:.\-–]|$)")
DISCLAIMER_STARTS: Final = _start(
    r"[*(\"]?(?:este|el presente) (?:mensaje|correo|e-?mail|documento)",
    r"(?:la|toda la) informaci[oó]n (?:contenida|incluida|que contiene)|el contenido de (?:este|la presente)",
    r"(?:le|les) informamos (?:de )?que sus datos|(?:de conformidad|en cumplimiento|de acuerdo) (?:con|de) (?:lo |la |el )",
    r"si (?:usted )?(?:no es|ha recibido) (?:el|este)|sus datos personales",
    r"[*(\"]?(?:αυτ[οό] το|το παρ[οό]ν) (?:μ[ηή]νυμα|e-?mail|ηλεκτρονικ[οό])",
    r"το (?:ηλεκτρονικ[οό] )?(?:μ[ηή]νυμα|e-?mail) αυτ[οό]|οι πληροφορ[ιί]ες που περι[εέ]χ",
    r"το περιεχ[οό]μενο (?:αυτο[υύ]|του παρ[οό]ντος)|(?:αν|ε[αά]ν) (?:λ[αά]βατε|δεν ε[ιί]στε)",
    r"[*(\"]?(?:questo|il presente) (?:messaggio|documento)|(?:questa|la presente) (?:e-?mail|comunicazione)",
    r"le informazioni (?:contenute|trasmesse)|il contenuto (?:di|della|del)|ai sensi d|si precisa che|qualora (?:non|il)",
    r"se (?:non siete|avete ricevuto)",
    r"[*(\"]?this (?:e-?mail|message|communication)|the (?:information|contents?) (?:contained |of |in )",
    r"if you (?:are not|have received)",
)
DISCLAIMER_WORDS: Final = _start(
    r"confidencial|destinatari[oa]s? (?:indicad|exclusiv|únic)|exclusivamente (?:a|para)|rgpd|lopd|reglamento \(ue\)",
    r"responsable del tratamiento|recib.{1,60}por error|por error.{1,40}recib",
    r"εμπιστευτικ|παραλ[ηή]πτ|απ[οό]ρρητ|εκ παραδρομ[ηή]ς|γκπδ|gdpr|λ[αά]β.{1,60}κατ[αά] λ[αά]θος|κατ[αά] λ[αά]θος.{1,40}λ[αά]β",
    r"riservat|esclusivamente|196/2003|2016/679|ricevut.{1,60}per errore|per errore.{1,40}ricevut|confidenzial",
    r"confidential|intended (?:only|recipient|solely)|privileged|received.{1,60}in error|in error.{1,40}received",
)
# A customer who quotes the law asks for something himself; a disclaimer does not.
DISCLAIMER_NEVER: Final = re.compile(
    r"\b(?:solicito|exijo|reclamo|quiero|pido|me han|mi factura|mi pedido|mis datos|chiedo|esigo|richiedo|voglio|pretendo|mi avete|"
    r"il mio|la mia|i miei dati|ζητ[ωώ]|απαιτ[ωώ]|θ[εέ]λω|i request|i demand|i want)\b|queja formal|reclamaci[oó]n formal|reclamo formale",
    re.IGNORECASE,
)
FOOTER: Final = _start(
    # the environment
    r"[^\w]{0,4}antes de imprimir|[^\w]{0,4}piens[ea] (?:en el|antes)|[^\w]{0,4}no imprima",
    r"[^\w]{0,4}por favor,? considere (?:el (?:medio|planeta)|la |su |si |antes|no imprimir)",
    r"[^\w]{0,4}cuidemos el|[^\w]{0,4}rispett\w+ l'?ambiente|[^\w]{0,4}prima di stampare|[^\w]{0,4}pens\w+ all'?ambiente",
    r"[^\w]{0,4}σκεφτε[ιί]τε το περιβ[αά]λλον|[^\w]{0,4}πριν εκτυπ[ωώ]σετε|[^\w]{0,4}παρακαλο[υύ]με σκεφτε[ιί]τε",
    r"[^\w]{0,4}please consider the environment|[^\w]{0,4}think before you print",
    # surveys
    r"¿?c[oó]mo (?:calificar[ií]a|valorar[ií]a|puntuar[ií]a)s? ",
    r"(?:valore|valora|eval[uú]e|eval[uú]a|punt[uú]e) (?:nuestr|su |tu |la atenci|el servicio|esta )|ay[uú]d[ea](?:nos)? a mejorar",
    r"encuesta de satisfacci[oó]n|¿?qu[eé] te ha parecido (?:la|nuestr)",
    r"π[ωώ]ς θα (?:αξιολογο[υύ]σ|βαθμολογο[υύ]σ)|αξιολογ[ηή]στε (?:την|τη|το|μας|τις)",
    r"βοηθ[ηή]στε μας να (?:βελτιωθο[υύ]με|γ[ιί]νουμε)|[εέ]ρευνα ικανοπο[ιί]ησης",
    r"come valut(?:a|i|eresti|erebbe) |valut[ai] (?:il nostro|la nostra|l'assistenza|la tua|il servizio|questa)",
    r"aiut(?:aci|ateci) a migliorare|questionario di (?:soddisfazione|gradimento)|sondaggio di",
    # what programs say of themselves
    r"[ée]ste es un (?:mensaje|correo|e-?mail) (?:generado )?autom[aá]tic|(?:mensaje|correo) (?:generado )?autom[aá]ticamente",
    r"αυτ[οό] ε[ιί]ναι (?:[εέ]να )?αυτ[οό]ματο|(?:αυτ[οό]ματο|αυτοματοποιημ[εέ]νο) (?:μ[ηή]νυμα|e-?mail)",
    r"quest[oa] [eè] un[a']? ?(?:messaggio|e-?mail|mail) (?:generat[oa] )?automatic|messaggio (?:generato )?automatic",
    r"this is an? (?:auto(?:mated|matic|-generated)|system-generated) (?:message|e-?mail)",
    # surveys, as questions
    r"¿?(?:(?:le|te|les|os) )?ha (?:sido|resultado) (?:de utilidad|[uú]til|de ayuda) (?:est[ae]|nuestr).{1,60}\?$",
    r"(?:su|tu) opini[oó]n (?:nos )?(?:importa|cuenta)",
    r"¿?(?:cu[aá]nto|c[oó]mo) de satisfech|¿?est[aá]s? (?:usted )?satisfech[oa] con (?:la (?:atenci|respuesta)|nuestr|el servicio)",
    r"(?:σας )?(?:[ηή]ταν|φ[αά]νηκε) χρ[ηή]σιμη (?:αυτ[ηή] )?η απ[αά]ντηση|σας βο[ηή]θησε (?:αυτ[ηή] )?η απ[αά]ντηση",
    r"π[οό]σο ικανοποιημ[εέ]ν\w{1,4} (?:ε[ιί]στε|με[ιί]νατε|[ηή]σασταν)",
    r"(?:η )?(?:γν[ωώ]μη|[αά]ποψ[ηή]) σας (?:μας ενδιαφ[εέ]ρει|μετρ[αά]|[εέ]χει σημασ[ιί]α)",
    r"(?:συμπληρ[ωώ]στε (?:το )?|απαντ[ηή]στε στο )ερωτηματολ[οό]γιο",
    r"(?:questa|la nostra) risposta (?:ti |le |vi )?[eè] stata (?:utile|d'aiuto) ?\?",
    r"(?:ti|le|vi) [eè] stata utile (?:questa|la nostra)",
    r"quanto (?:sei|[eè]|siete) (?:rimast[oaie] )?soddisfatt|(?:la )?(?:tua|sua|vostra) opinione (?:conta|[eè] importante)",
    r"(?:was this|did this) (?:answer|reply|response)|how satisfied (?:are|were) you|your (?:opinion|feedback) (?:matters|is important)",
    r"how would you rate|rate (?:our|this|your) |help us improve|customer satisfaction survey",
    # scanners
    r"[^\w]{0,4}libre de virus|[^\w]{0,4}sin virus",
    r"[^\w]{0,4}este (?:correo|mensaje|e-?mail)[\w ]{0,20} (?:ha sido analizado|est[aá] libre de virus|ha sido comprobado)",
    r"[^\w]{0,4}χωρ[ιί]ς ιο[υύ]ς|[^\w]{0,4}privo di virus|[^\w]{0,4}senza virus|[^\w]{0,4}virus-free",
    r"questa e-?mail [eè] (?:stata controllata|priva di virus)|αυτ[οό] το (?:μ[ηή]νυμα|e-?mail)[\w ]{0,40} ελ[εέ]γχθηκε για",
    r"this e-?mail has been (?:checked|scanned)",
    # lists and senders that do not read replies
    r"(?:darse|date) de baja(?:$| aqu[ií]| de esta lista| en este enlace)|cancelar (?:la |tu |su )?suscripci[oó]n$",
    r"si no (?:desea|quiere)s? (?:seguir )?recibi(?:r|endo)(?:nos|las|los)? ?(?:m[aá]s|est[eao]s?|nuestr|correos|comunicaci|mensajes|"
    r"e-?mails|newsletter|publicidad|informaci|avisos|notificaci|promocion|ofertas|$)",
    r"ver (?:este (?:correo|mensaje)|en (?:el|tu) navegador)|no (?:responda|respondas|conteste) a este",
    r"este (?:correo|mensaje) (?:se ha|ha sido) (?:generado|enviado) (?:autom[aá]ticamente|desde un formulario)",
    r"απεγγραφ[ηή](?:$| απ[οό] )|διαγραφ[ηή] απ[οό] τη λ[ιί]στα|(?:αν|ε[αά]ν) δεν (?:θ[εέ]λετε|επιθυμε[ιί]τε) να λαμβ[αά]νετε",
    r"προβολ[ηή] στον? (?:browser|πρ[οό]γραμμα)|μην απαντ(?:[αά]τε|[ηή]σετε) σε αυτ",
    r"το (?:μ[ηή]νυμα|e-?mail) αυτ[οό] (?:στ[αά]λθηκε|δημιουργ[ηή]θηκε) (?:αυτ[οό]ματα|απ[οό] τη φ[οό]ρμα)",
    r"annulla (?:l')?iscrizione|disiscriviti|cancellati (?:qui|da questa|dalla (?:lista|newsletter))",
    r"se non (?:desideri|vuoi|desidera) (?:pi[uù] )?ricevere",
    r"visualizza (?:questa|nel)|non risponde(?:re|te) a quest",
    r"questa (?:e-?mail|mail) [eè] stata (?:generata|inviata) (?:automaticamente|dal|da un)",
    r"unsubscribe|view (?:this|in your) |do not reply to this|follow us|s[ií]guenos en|ακολουθ[ηή]στε μας|seguici su",
    r"to unsubscribe from this group|you received this message because",
)
# Warnings that a mail server writes above the text.
BANNER: Final = _start(
    r"\[?(?:external|externo|esterno|εξωτερικ[οό])(?: (?:e-?mail|correo|sender))?\]?$|\[external\]",
    r"(?:caution|warning|precauci[oó]n|atenci[oó]n|προσοχ[ηή]|attenzione) ?[:!-] ?"
    + _any(
        r"this|external|este (?:correo|mensaje)|correo externo|αυτ[οό] το|το (?:μ[ηή]νυμα|e-?mail)|εξωτερικ",
        r"questa (?:e-?mail|mail)|questo messaggio|mail esterna",
    ),
    r"this (?:e-?mail|message) originated (?:from )?outside|este (?:correo|mensaje) procede de (?:fuera|un remitente externo)",
    r"questo messaggio proviene dall'esterno",
    r"you don't often get e-?mail from|no suele recibir (?:correos?|correo electr[oó]nico)|δεν λαμβ[αά]νετε συχν[αά]",
    r"non si ricevono spesso|non ricevi spesso|some people who received this",
)
PICTURE: Final = re.compile(
    r"(?:[\[<(](?:image|imagen|immagine|εικ[οό]να|cid|inline image|logo|imagen en l[ií]nea)\b[^\]>)]{0,200}[\]>)] ?)+$", re.IGNORECASE
)
SIGNATURE_RULE: Final = re.compile(r"(?:--|—|––) ?$")
# A line that ends in a firm's form is a signature's, not a sentence.
FIRM: Final = re.compile(
    r"\b(?:s\. ?[alc]\.(?: ?[lup]\.)?|s\. ?r\. ?l\.(?: ?s\.)?|s\. ?p\. ?a\.|s\. ?n\. ?c\.|s\. ?a\. ?s\.|s\. ?coop\."
    r"|α\. ?ε\.|ε\. ?π\. ?ε\.|ι\. ?κ\. ?ε\.|ο\. ?ε\.|α\. ?β\. ?ε\. ?ε\.|ltd\.|inc\.|co\.|& c[ií]a\.|& c\.|& σια)$",
    re.IGNORECASE,
)
CONTACT: Final = re.compile(
    r"@|https?://|www\.|\+?\d[\d ().-]{6,}|^(?:t|m|f|tel|tfno|tlf|tel[eé]fono|m[oó]vil|fax|τηλ|κιν|cell|email|e-mail|web)\b", re.IGNORECASE
)
