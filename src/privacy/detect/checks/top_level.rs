//! Top-level domains that addresses are seen in: countries', the common general ones, and those kept for examples.
//!
//! Not all of them: many general ones are words that stand after a dot in code.

const GENERAL: &str = " com org net edu gov mil int info biz name pro aero coop museum jobs mobi travel tel cat asia post app dev page \
     cloud online site website store shop tech blog xyz club top live life world email mail company group agency digital \
     studio design media news email solutions services systems network software technology academy school college \
     university bank finance money fund health care clinic dental legal law lawyer consulting marketing capital ventures \
     partners community foundation charity church events team work works space zone land house homes estate city town \
     global international business enterprises industries international london berlin paris tokyo nyc amsterdam wien \
     hamburg koeln bayern quebec moscow swiss scot wales eus gal bzh istanbul sydney melbourne africa arab guru expert \
     support help center institute education training science engineering games game fun art photo photos photography \
     gallery music video film show tv audio fm radio press pub bar cafe coffee restaurant food pizza beer wine kitchen \
     garden green eco energy solar auto cars bike taxi limo tours travel holiday vacations flights hotel rentals \
     fashion clothing shoes jewelry boutique gifts toys baby kids pet dog cat family love dating singles social chat \
     link click download host hosting domains codes exchange market markets trade trading credit loans insurance tax \
     accountants accountant supply supplies tools equipment parts delivery express direct today now one plus vip cool \
     rocks ninja wtf lol sucks sexy xxx porn adult ltd llc gmbh inc corp sarl srl ag google microsoft amazon apple \
     example test invalid local localhost localdomain internal intranet lan home corp onion ";

const COUNTRIES: &str = " ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc cd \
     cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gb gd ge \
     gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki \
     km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my \
     mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se \
     sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va \
     vc ve vg vi vn vu wf ws ye yt za zm zw ";

/// Whether addresses are seen under it.
pub(super) fn is_one(label: &[u8]) -> bool {
    let label = label.to_ascii_lowercase();
    if !label.is_ascii() {
        return label.len() >= 4;
    }
    let listed = |list: &str| {
        let padded = [b" ", label.as_slice(), b" "].concat();
        memchr::memmem::find(list.as_bytes(), &padded).is_some()
    };
    match label.len() {
        0 | 1 => false,
        2 => listed(COUNTRIES),
        _ => label.starts_with(b"xn--") || listed(GENERAL),
    }
}
